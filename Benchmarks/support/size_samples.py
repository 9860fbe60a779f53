"""Writes a line of CSV for each report of the clients that comes on standard input, with the sizes
of larder's file and log and its memory: the largest since the line before.

    size_samples.py PID FILE CSV

Prints a summary at the end."""

import os
import sys
import threading
import time

COLUMNS = (
    "seconds,file_bytes,log_bytes,rss_kib,requests_per_s,hits_per_s,mib_per_s,failures,p50_ms,p99_ms"
)


class Watch(threading.Thread):
    """Looks ten times a second."""

    def __init__(self, pid, path):
        super().__init__(daemon=True)
        self.pid, self.path = pid, path
        self.lock = threading.Lock()
        self.most = [0, 0, 0]

    def look(self):
        sizes = []
        for path in (self.path, self.path + "-wal"):
            try:
                sizes.append(os.path.getsize(path))
            except OSError:
                sizes.append(0)
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii") as lines:
                sizes += [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
        except OSError:
            sizes.append(0)
        return sizes

    def run(self):
        while True:
            sizes = self.look()
            with self.lock:
                self.most = [max(pair) for pair in zip(self.most, sizes)]
            time.sleep(0.1)

    def take(self):
        with self.lock:
            most, self.most = self.most, [0, 0, 0]
        return most if most[0] else self.look()


def figures(line):
    return {name: float(number) for name, number in (word.split("=") for word in line.split()[1:])}


def main(pid, path, csv):
    watch = Watch(pid, path)
    watch.start()
    rows, before, total = [], 0.0, None
    with open(csv, "w", encoding="ascii") as file:
        print(COLUMNS, file=file)
        for line in sys.stdin:
            if line.startswith("total"):
                total = figures(line)
                break
            report = figures(line)
            span = max(report["seconds"] - before, 1e-3)
            before = report["seconds"]
            row = watch.take() + [
                round(report["requests"] / span, 1),
                round(report["hits"] / span, 1),
                round(report["bytes"] / span / 2**20, 2),
                int(report["failures"]),
                round(report["p50_us"] / 1e3, 2),
                round(report["p99_us"] / 1e3, 2),
            ]
            rows.append(row)
            print(f"{before:.1f}", *row, sep=",", file=file, flush=True)
    if not rows or total is None:
        sys.exit("the clients ended without a report")
    file_bytes, log_bytes, rss = (max(row[column] for row in rows) for column in range(3))
    print(
        f"{total['requests']:.0f} requests, {total['failures']:.0f} failed,"
        f" {100 * total['hits'] / total['requests']:.1f} % hits, {total['bytes'] / 2**30:.1f} GiB;"
        f" p50 {total['p50_us'] / 1e3:.1f} ms, p99 {total['p99_us'] / 1e3:.1f} ms,"
        f" slowest {total['max_us'] / 1e3:.0f} ms"
    )
    print(
        f"largest: file {file_bytes / 2**20:.1f} MiB, log {log_bytes / 2**20:.1f} MiB,"
        f" RSS {rss / 1024:.0f} MiB"
    )


main(*sys.argv[1:])
