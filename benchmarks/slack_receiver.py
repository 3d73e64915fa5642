"""A local server that checks what Slack's incoming webhooks check, and remembers what came."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# Slack's documented limits for Block Kit messages.
MAX_BLOCKS = 50
MAX_HEADER_CHARACTERS = 150
MAX_SECTION_CHARACTERS = 3000


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it arrived, with Slack's verdict."""

    received_at: datetime
    body: dict[str, Any]
    status: int
    answer: str


class SlackReceiver:
    """Answers ``ok`` to what Slack would take and Slack's own words to what it would not."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def webhook_url(self) -> str:
        """Where to send messages."""
        return f"http://127.0.0.1:{self._server.server_port}/services/T000/B000/XXXX"

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # http.server's name
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, answer, body = verdict(raw, self.headers.get("Content-Type", ""))
                receiver.messages.append(Message(datetime.now(UTC), body, status, answer))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_arguments: object) -> None:
                """Say nothing: the benchmark prints its own table."""

        return Handler


def verdict(raw: bytes, content_type: str) -> tuple[int, str, dict[str, Any]]:
    """Return the status and text Slack would answer with, and the parsed body."""
    try:
        body = json.loads(raw) if content_type.startswith("application/json") else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return 400, "invalid_payload", {}
    blocks = body.get("blocks", [])
    if not body.get("text") and not blocks:
        return 400, "no_text", body
    if len(blocks) > MAX_BLOCKS or not all(_is_valid(block) for block in blocks):
        return 400, "invalid_blocks", body
    return 200, "ok", body


def _is_valid(block: dict[str, Any]) -> bool:
    kind = block.get("type")
    if kind == "header":
        text = block.get("text", {})
        return text.get("type") == "plain_text" and 0 < len(text["text"]) <= MAX_HEADER_CHARACTERS
    if kind == "section":
        texts = [block["text"]] if "text" in block else []
        texts += block.get("fields", [])
        return bool(texts) and all(0 < len(t["text"]) <= MAX_SECTION_CHARACTERS for t in texts)
    if kind in ("context", "actions"):
        return bool(block.get("elements"))
    return kind in ("divider", "image")
