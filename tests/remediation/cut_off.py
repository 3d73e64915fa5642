"""A way to a server that breaks just after a certain request has gone through."""

from __future__ import annotations

import contextlib
import select
import socket
import threading


@contextlib.contextmanager
def cut_off_after(request: bytes, port: int):
    """Yield a port that leads to ``port`` until ``request`` went through, and then nowhere."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_carry_one, args=(listener, request, port))
        thread.start()
        yield listener.getsockname()[1]
        thread.join(60)


def _carry_one(listener, request, port):
    client, _ = listener.accept()
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        while True:
            for source in select.select([client, server], [], [])[0]:
                data = source.recv(1 << 16)
                (server if source is client else client).sendall(data)
                if source is client and request in data:
                    server.recv(1)  # it was done, and nobody hears of it
                    return
                if not data:
                    return
