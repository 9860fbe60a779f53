"""Prints the table of throughput.sh from its lines: size, server, requests/s, MiB/s, CPU µs per
request and per MiB, bytes read for each byte answered, p50, p99 (µs)."""

import sys
from statistics import median

from rounds import read, spread

NAMES = {"nginx": "nginx", "memory": "larder, memory", "file": "larder, file"}


def main(path):
    print(
        f"{'size':<6} {'':<15} {'requests/s':>21} {'MiB/s':>18} {'CPU us/request':>24}"
        f" {'CPU us/MiB':>21} {'CPU ratio':>17} {'MiB/s ratio':>17} {'read':>5} {'p50/p99 us':>15}"
    )
    for size, servers in read(path).items():
        nginx = servers["nginx"]
        for server, rounds in servers.items():
            columns = list(zip(*rounds))
            digits = 1 if median(columns[2]) < 1000 else 0
            cpu = [r[3] / n[3] for r, n in zip(rounds, nginx)]
            speed = [r[1] / n[1] for r, n in zip(rounds, nginx)]
            few = 1 if median(columns[0]) < 1000 else 0
            print(
                f"{size:<6} {NAMES[server]:<15} {spread(columns[0], few):>21} {spread(columns[1]):>18}"
                f" {spread(columns[2], digits):>24} {spread(columns[3]):>21} {spread(cpu, 2):>17}"
                f" {spread(speed, 2):>17} {median(columns[4]):>5.2f}"
                f" {f'{median(columns[5]):.0f}/{median(columns[6]):.0f}':>15}"
            )


main(sys.argv[1])
