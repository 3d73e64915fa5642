"""A receiver of messages that can be out of order: it takes them, or it does not."""

from __future__ import annotations

import http.server
import threading

TAKES, IS_DOWN, REFUSES = 200, 503, 404
"""In order, in trouble that passes, and gone for good."""


class Receiver:
    """Answers as Slack's incoming webhooks do, with the status it is told to."""

    def __init__(self) -> None:
        self.status = TAKES
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """What makes the demo send its messages here."""
        return {"WATCHKEEPER_SLACK_WEBHOOK_URL": f"http://127.0.0.1:{self._server.server_port}/"}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # http.server's name
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(receiver.status)
                self.end_headers()
                self.wfile.write(b"ok" if receiver.status == TAKES else b"not now")

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler
