"""Prints the table of run.sh from its lines: case, server, µs per request, requests per second,
requests, rows that came, p50, p99 (µs)."""

import sys
from statistics import median

from rounds import read, spread

TARGETS = {"get-hit": 1.0, "post-hit": 1.0, "post-miss": 0.6}


def main(path):
    rounds = read(path)
    print(
        f"{'case':<10} {'nginx us/request':>24} {'larder us/request':>24} {'ratio':>17}"
        f" {'target':>6} {'nginx/s':>8} {'larder/s':>8}"
    )
    for case, servers in rounds.items():
        nginx, larder = servers["nginx"], servers["larder"]
        ratios = [l[0] / n[0] for n, l in zip(nginx, larder)]
        ratio = spread(ratios, 2)
        print(
            f"{case:<10} {spread([n[0] for n in nginx], 1):>24} {spread([l[0] for l in larder], 1):>24}"
            f" {ratio:>17} {TARGETS.get(case, '-'):>6}"
            f" {median(n[1] for n in nginx):>8.0f} {median(l[1] for l in larder):>8.0f}"
        )
    print()
    for case, servers in rounds.items():
        if not case.endswith("-miss"):
            continue
        requests = sum(l[2] for l in servers["larder"])
        rows = sum(l[3] for l in servers["larder"])
        # wrk leaves with requests under way: they are stored but not counted by it.
        missing = max(0, requests - rows)
        print(
            f"{case}: larder answered {requests:.0f}, the file grew by {rows:.0f} rows;"
            f" not stored: {missing:.0f} ({100 * missing / requests:.2f} %)"
        )
    for case, servers in rounds.items():
        times = ", ".join(
            f"{name} {median(r[4] for r in runs):.0f}/{median(r[5] for r in runs):.0f}"
            for name, runs in servers.items()
        )
        print(f"{case}: latency p50/p99 in us under this load: {times}")


main(sys.argv[1])
