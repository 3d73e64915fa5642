"""A process to supervise: PORT [not-ready] [stubborn] [parent] [reasons=JSON] [away-while=FILE].

Plain sockets and no site packages: tests start dozens of these.
"""

import os
import signal
import socket
import sys

PORT, TRAITS = int(sys.argv[1]), set(sys.argv[2:])

NOT_READY = b'{"reasons": {"database": "the database is away"}}'
VALUES = dict(trait.split("=", 1) for trait in TRAITS if "=" in trait)
if "reasons" in VALUES:
    NOT_READY = b'{"reasons": ' + VALUES["reasons"].encode() + b"}"


def answer(connection):
    request = connection.recv(4096)
    if b" /crash " in request:
        os.write(1, b'{"level": "error", "msg": "asked to crash"}\n')
        os._exit(3)
    is_away = os.access(VALUES.get("away-while", ""), os.F_OK)
    is_ready = "not-ready" not in TRAITS and "reasons" not in VALUES and not is_away
    status, body = (b"200 OK", b"{}") if is_ready else (b"503 No", NOT_READY)
    length = str(len(body)).encode()
    connection.sendall(
        b"HTTP/1.1 " + status + b"\r\nContent-Length: " + length
        + b"\r\nConnection: close\r\n\r\n" + body
    )  # fmt: skip


if "stubborn" in TRAITS:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "parent" in TRAITS:
    child = os.fork()
    if child == 0:
        signal.pause()
    os.write(os.open(os.environ["CHILD_PID_FILE"], os.O_CREAT | os.O_WRONLY), b"%d" % child)
listener = socket.create_server(("127.0.0.1", PORT))
while True:
    connection, _ = listener.accept()
    with connection:
        answer(connection)
