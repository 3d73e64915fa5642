"""A server that sends its answer a byte at a time, for longer than any client should wait."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

HEAD = b"HTTP/1.1 200 OK\r\nX-Said: "
"""After which a header goes on for ever."""

BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
"""After which a body does."""

LONGEST_SECONDS = 30.0
"""A client that does not give up fails its test then, by another error."""


@contextmanager
def dripping(first: bytes) -> Iterator[str]:
    """Serve ``first`` and then a byte every 20 ms on loopback; give the URL."""
    stop = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            try:
                self.request.sendall(first)
                for _ in range(int(LONGEST_SECONDS / 0.02)):
                    if stop.wait(0.02):
                        return
                    self.request.sendall(b" ")
            except OSError:
                return  # the client gave up, as it should

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            stop.set()
            server.shutdown()
