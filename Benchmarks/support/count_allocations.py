"""Allocations of one request, from a server that malloc_count.c is preloaded into.

    count_allocations.py PORT COUNTERS get|post N

Sends N and then 2N equal requests over one kept-alive connection, each when the answer before it
has arrived. The difference of the two counts, divided by N, is what one more request costs; what is
per connection or per second cancels out or vanishes in it.
"""

import socket
import statistics
import struct
import sys

HEAD = "Host: 127.0.0.1:{port}\r\nUser-Agent: bench\r\nAccept: */*\r\n"


def request(kind, port):
    head = HEAD.format(port=port)
    if kind == "get":
        return f"GET /hit HTTP/1.1\r\n{head}\r\n".encode()
    content = '{"query":"hit"'.ljust(63) + "}"
    fields = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return f"POST /search HTTP/1.1\r\n{head}{fields}\r\n{content}".encode()


def answer(connection):
    """Reads one answer and returns its X-Cache."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    fields = dict(
        (name.strip().lower(), value.strip())
        for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
    )
    missing = int(fields[b"content-length"]) - len(body)
    while missing > 0:
        missing -= len(connection.recv(65536))
    return fields[b"x-cache"]


def counters(path):
    with open(path, "rb") as file:
        return struct.unpack("QQQ", file.read(24))


def run(port, path, message, count):
    before = counters(path)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            connection.sendall(message)
            if answer(connection) != b"HIT":
                sys.exit("an answer was not a HIT")
    after = counters(path)
    return [b - a for a, b in zip(before, after)]


def main():
    port, path, kind, count = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    message = request(kind, port)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(message)
        answer(connection)
    run(port, path, message, count)
    results = []
    for _ in range(5):
        once, twice = run(port, path, message, count), run(port, path, message, 2 * count)
        results.append([(b - a) / count for a, b in zip(once, twice)])
    allocations = [r[0] for r in results]
    print(
        f"{kind} hit: {statistics.median(allocations):.2f} allocations"
        f" ({min(allocations):.2f}-{max(allocations):.2f}),"
        f" {statistics.median(r[1] for r in results):.0f} bytes asked for,"
        f" {statistics.median(r[2] for r in results):.2f} frees"
    )


main()
