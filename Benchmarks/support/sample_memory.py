"""Samples the memory of a process until it ends or the script is told to stop.

    sample_memory.py PID CSV

Columns: seconds, VmRSS, RssAnon, RssFile, VmHWM; kB as the kernel counts them."""

import sys
import time

NAMES = ("VmRSS", "RssAnon", "RssFile", "VmHWM")


def sample(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        fields = dict(line.split(":", 1) for line in lines)
    return [int(fields[name].split()[0]) for name in NAMES]


def main(pid, path):
    start = time.monotonic()
    with open(path, "w", encoding="ascii") as file:
        print("seconds", *NAMES, sep=",", file=file)
        while True:
            try:
                figures = sample(pid)
            except (OSError, KeyError):
                return
            print(f"{time.monotonic() - start:.1f}", *figures, sep=",", file=file, flush=True)
            time.sleep(0.1)


main(sys.argv[1], sys.argv[2])
