"""Prints the table of cache-api.sh from its lines: case, server, requests/s, CPU µs per request,
p50, p99 (µs)."""

import sys

from rounds import read, spread


def main(path):
    rounds = {case: servers["larder"] for case, servers in read(path).items()}
    print(f"{'':<12} {'requests/s':>22} {'CPU us/request':>24} {'p50 us':>20} {'p99 us':>24}")
    for case, figures in rounds.items():
        rate, cpu, half, most = zip(*figures)
        print(
            f"{case:<12} {spread(rate):>22} {spread(cpu, 1):>24} {spread(half):>20}"
            f" {spread(most):>24}"
        )
    pairs = zip(rounds["match-hit"], rounds["get-hit"])
    ratios = [match[1] / get[1] for match, get in pairs]
    print(f"\nCPU of a match that hits, of a GET's that hits the proxy: {spread(ratios, 2)}")


main(sys.argv[1])
