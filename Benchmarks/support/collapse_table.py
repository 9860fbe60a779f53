"""Prints the table of collapse.sh from its lines: method, server, requests at the origin, p50,
slowest and all clients (µs), collapsed, failures."""

import sys
from statistics import median

from rounds import read, spread


def main(path):
    print(
        f"{'':<12} {'at the origin':>14} {'ms over the origin: p50':>24} {'slowest client':>20}"
        f" {'all, from the start':>20} {'collapsed':>9} {'failures':>8}"
    )
    isright = True
    for method, servers in read(path).items():
        origin = [r[2] for r in servers["origin"]]  # one client: its slowest
        for server in ("nginx", "larder"):
            rounds = servers[server]
            over = [
                [(r[column] - own) / 1000 for r, own in zip(rounds, origin)] for column in (1, 2, 3)
            ]
            print(
                f"{method + ' ' + server:<12} {spread([r[0] for r in rounds]):>14} {spread(over[0]):>24}"
                f" {spread(over[1]):>20} {spread(over[2]):>20} {median(r[4] for r in rounds):>9.0f}"
                f" {sum(r[5] for r in rounds):>8.0f}"
            )
            if server == "larder":
                isright = isright and all(r[0] == 1 and r[5] == 0 for r in rounds)
        print(f"{method}: the origin itself takes {spread([us / 1000 for us in origin], 1)} ms")
    print(f"larder: one request at the origin in every round: {'yes' if isright else 'NO'}")
    sys.exit(not isright)


main(sys.argv[1])
