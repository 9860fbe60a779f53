"""Prints the CPU time in microseconds that making one small file in DIRECTORY costs.

ext4 does not reuse the inode of a file for up to five minutes after its deletion: whoever makes
files while very many were just deleted walks past all of them, at up to a millisecond a file.
nginx makes a file for each stored answer, so its figures are worth nothing at such a time.
"""

import os
import sys
import time

directory = os.path.join(sys.argv[1], "probe")
os.makedirs(directory, exist_ok=True)
start = time.process_time()
for number in range(300):
    path = os.path.join(directory, f"{time.monotonic_ns()}-{number}")
    with open(path, "wb") as file:
        file.write(bytes(1400))
# The files stay until the end of the run: deleting them is the very thing that disturbs.
print(f"{(time.process_time() - start) / 300 * 1e6:.0f}")
