"""Puts one large body, chunked as workerd sends it, and matches it; checks every byte.

Usage: cache_api_large.py PORT BYTES PID
"""

import hashlib
import http.client
import sys
import time

port, size, pid = map(int, sys.argv[1:])
block = bytes(range(256)) * 256
head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=3600\r\n\r\n"


def content():
    for start in range(0, size, len(block)):
        yield block[: size - start]


def peak():
    """MiB that the process has had resident at most."""
    with open(f"/proc/{pid}/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def pieces():
    yield head
    yield from content()


before = peak()
connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
started = time.monotonic()
connection.request("PUT", "/large", body=pieces(), encode_chunked=True,
                   headers={"Host": "app.example", "Transfer-Encoding": "chunked"})
answer = connection.getresponse()
answer.read()
put = time.monotonic() - started
if answer.status != 204:
    sys.exit(f"put: {answer.status} {answer.getheader('Larder-Put')}")
expected = hashlib.sha256()
for piece in content():
    expected.update(piece)
started = time.monotonic()
connection.request("GET", "/large", headers={"Host": "app.example"})
answer = connection.getresponse()
found, length = hashlib.sha256(), 0
while piece := answer.read(1 << 20):
    found.update(piece)
    length += len(piece)
match = time.monotonic() - started
if (answer.status, answer.getheader("CF-Cache-Status"), length) != (200, "HIT", size):
    sys.exit(f"match: {answer.status}, {length} bytes")
if found.digest() != expected.digest():
    sys.exit("match: other bytes than were put")
mib = size / (1 << 20)
print(f"\n{mib:.0f} MiB with --memory 64MB: put {mib / put:.0f} MiB/s, match {mib / match:.0f} MiB/s,"
      f" resident {before:.0f} MiB before and {peak():.0f} at most")
