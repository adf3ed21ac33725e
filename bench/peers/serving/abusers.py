"""Clients that misbehave, one process for all of a kind. `abuse.py` starts it; alone:

    python bench/peers/serving/abusers.py KIND PORT N_FEATURES MAX_ROWS SECONDS

Kinds are bounded by rate, and where the system can (Linux), the process runs only when nobody else would: an abuser has a machine of its own, and what it takes of this
one is not what it does to the server. Prints one line of JSON: its share of a processor, and the statuses that came back
(`closed`: none).
"""

import asyncio
import collections
import json
import os
import random
import socket
import sys
import time

STATUSES = collections.Counter()


async def connected(port, receive_buffer=None):
    connection = socket.socket()
    connection.setblocking(False)
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    return connection


async def send(connection, data):
    """Sends in pieces, as a network would: on this machine alone, a call that sends megabytes keeps one of its processors for milliseconds."""
    for start in range(0, len(data), 1 << 16):
        await asyncio.get_running_loop().sock_sendall(connection, data[start : start + (1 << 16)])


async def until_closed(connection):
    """Reads all that comes, and counts the status."""
    loop, first = asyncio.get_running_loop(), b""
    while data := await loop.sock_recv(connection, 1 << 16):
        first = first or data
    STATUSES[first[9:12].decode() if first else "closed"] += 1


def post(body, more="Connection: close\r\n", path="/predict"):
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def rows_of(n_rows, n_features):
    row = "[" + ",".join(f"{random.uniform(-1, 1):.4f}" for _ in range(n_features)) + "]"
    return ('{"embeddings": [' + ",".join([row] * n_rows) + "]}").encode()


def binary_rows(n_rows, n_features, more="Connection: close\r\n"):
    """A request of the Open Inference Protocol, which is answered in JSON."""
    size = 4 * n_rows * n_features
    tensor = {"name": "embeddings", "shape": [n_rows, n_features], "datatype": "FP32", "parameters": {"binary_data_size": size}}
    head = json.dumps({"inputs": [tensor]}).encode()
    return post(head + bytes(size), f"{more}Inference-Header-Content-Length: {len(head)}\r\n", "/v2/models/model/infer")


def trickle(start, byte):
    """Sends `start`, then a byte each second for as long as the server takes it."""

    async def client(port):
        connection = await connected(port)
        with connection:
            await send(connection, start)
            closed = asyncio.ensure_future(until_closed(connection))
            while not closed.done():
                await asyncio.wait([closed], timeout=1)
                if not closed.done():
                    await send(connection, byte)

    return client


async def silent(port):
    with await connected(port) as connection:
        await until_closed(connection)


def unread(request):
    """Asks, and takes nothing of the answers: requests again and again, until the server takes no more."""

    async def client(port):
        with await connected(port, receive_buffer=4096) as connection:
            while True:
                await send(connection, request)
                await asyncio.sleep(5)

    return client


def endless(start, chunk, pause):
    async def client(port):
        with await connected(port) as connection:
            await send(connection, start)
            closed = asyncio.ensure_future(until_closed(connection))
            while not closed.done():
                await send(connection, chunk)
                await asyncio.sleep(pause)

    return client


def asks(request):
    async def client(port):
        with await connected(port) as connection:
            await send(connection, request)
            await until_closed(connection)

    return client


def noise(n_bytes):
    async def client(port):
        await asks(random.randbytes(n_bytes) + b"\r\n\r\n")(port)

    return client


async def forever(client, port, every):
    """The client again and again, `every` seconds."""
    # Not all at once.
    await asyncio.sleep(random.uniform(0, every))
    while True:
        begin = time.monotonic()
        try:
            await client(port)
        except OSError:
            STATUSES["closed"] += 1
        await asyncio.sleep(max(every - (time.monotonic() - begin), 0))


def kinds(n_features, max_rows):
    """Of each kind: how many clients at once, how often each begins in seconds, and what it does."""
    start = "POST /predict HTTP/1.1\r\nHost: localhost\r\n"
    some = rows_of(1, n_features)
    chunked = f"{start}Transfer-Encoding: chunked\r\n\r\n".encode()
    return {
        "slow headers": lambda: (200, 0.5, trickle(f"{start}X-Slow: ".encode(), b"x")),
        "half open": lambda: (200, 0.5, silent),
        "slow bodies": lambda: (200, 0.5, trickle(f"{start}Content-Length: {len(some)}\r\n\r\n".encode(), b" ")),
        "answers not read": lambda: (50, 5, unread(binary_rows(max_rows // 4, n_features, ""))),
        "endless chunks": lambda: (10, 0.5, endless(chunked, b"10000\r\n" + b"[" * 0x10000 + b"\r\n", 0.05)),
        "huge lengths": lambda: (50, 0.5, asks(f"{start}Content-Length: 999999999999999\r\n\r\n".encode())),
        "deep JSON": lambda: (5, 0.5, asks(post(b'{"embeddings": ' + b"[" * (1 << 20)))),
        "wide rows": lambda: (4, 1, asks(post(rows_of(1, max_rows * n_features // 2)))),
        "too many rows": lambda: (4, 2, asks(post(rows_of(max_rows + 1, n_features)))),
        "random bytes": lambda: (50, 0.25, noise(300)),
        "churn": lambda: (50, 0.25, asks(post(some))),
        "largest requests": lambda: (4, 2, asks(post(rows_of(max_rows, n_features)))),
        "largest, binary": lambda: (4, 1, asks(binary_rows(max_rows, n_features))),
    }


async def abuse(name, port, n_features, max_rows, seconds):
    known = kinds(n_features, max_rows)
    chosen = [make() for make in known.values()] if name == "all" else [known[name]()]
    begin, used = time.monotonic(), time.process_time()
    tasks = [asyncio.ensure_future(forever(client, port, every)) for n, every, client in chosen for _ in range(n)]
    print("ready", flush=True)
    await asyncio.sleep(seconds)
    share = (time.process_time() - used) / (time.monotonic() - begin)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps({"share": share, "statuses": STATUSES}))


if __name__ == "__main__":
    name, *numbers = sys.argv[1:]
    port, n_features, max_rows = map(int, numbers[:3])
    random.seed(7)
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    asyncio.run(abuse(name, port, n_features, max_rows, float(numbers[3])))
