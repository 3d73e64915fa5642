"""Real HTTP servers on loopback, each answering by a script and remembering what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs_up: bool = False


def as_json(value: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


class LoopbackServer:
    """Answers every request with ``answer(request)``; ``with`` starts and stops it."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, self.rfile.read(length))
                outer.requests.append(request)
                reply = outer.answer(request)
                if reply.hangs_up:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST  # noqa: N815  # the name http.server looks for

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler


class SlackServer(LoopbackServer):
    """Checks what Slack's incoming webhooks check; answers by ``script``, then ``ok``."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.script: list[Reply] = []
        self.is_down = False
        self.taken: list[dict[str, Any]] = []

    def _answer(self, request: Request) -> Reply:
        if self.is_down:
            return Reply(hangs_up=True)
        if self.script:
            return self.script.pop(0)
        problem = slack_problem(request)
        if problem:
            return Reply(400, problem.encode())
        self.taken.append(request.json)
        return Reply()

    @property
    def headlines(self) -> list[str]:
        return [message["text"] for message in self.taken]


def slack_problem(request: Request) -> str:
    """Return what Slack would complain about, or nothing (api.slack.com/reference/block-kit)."""
    if not request.headers["content-type"].startswith("application/json"):
        return "invalid_payload: content type"
    message = request.json
    if not message.get("text"):
        return "no_text"
    blocks = message["blocks"]
    if not 1 <= len(blocks) <= 50:
        return "invalid_blocks: number"
    for block in blocks:
        if block["type"] == "header":
            limit, texts, kinds = 150, [block["text"]], {"plain_text"}
        elif block["type"] == "section":
            limit, texts, kinds = 3000, [block["text"]], {"mrkdwn", "plain_text"}
        elif block["type"] == "context":
            limit, texts, kinds = 3000, block["elements"], {"mrkdwn", "plain_text"}
        else:
            return f"invalid_blocks: {block['type']}"
        for text in texts:
            if text["type"] not in kinds or not 1 <= len(text["text"]) <= limit:
                return f"invalid_blocks: text of {block['type']}"
    return "" if len(request.body) < 100_000 else "invalid_payload: size"


class EndpointServer(LoopbackServer):
    """A remediation endpoint that checks signatures, keeps keys and acts once for each.

    The next ``drop_calls`` calls are lost before it sees them; of the next ``lose_answers`` it acts
    and its answer is lost. ``becomes`` is the state every action it takes ends in.
    """

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.states: dict[str, dict[str, Any]] = {}
        self.effects: list[str] = []
        self.becomes = "succeeded"
        self.lose_answers = 0
        self.drop_calls = 0
        self.is_down = False

    def _answer(self, request: Request) -> Reply:
        if self.is_down:
            return Reply(hangs_up=True)
        if request.method == "GET":
            found = self.states.get(request.path.rsplit("/", 1)[1])
            return as_json(found) if found else as_json({"error": "unknown"}, 404)
        if self.drop_calls:
            self.drop_calls -= 1
            return Reply(hangs_up=True)
        return self._take(request)

    def _take(self, request: Request) -> Reply:
        if not is_signed(request):
            return as_json({"error": "bad signature"}, 401)
        data = request.json["data"]
        key = data["idempotency_key"]
        if key not in self.states:
            self.effects.append(key)
            self.states[key] = {
                "idempotency_key": key,
                "action": data["action"],
                "target": data["target"],
                "state": self.becomes,
                "summary": "restarted",
                "detail": {},
                "error": None,
                "accepted_at": None,
                "finished_at": None,
            }
        if self.lose_answers:
            self.lose_answers -= 1
            return Reply(hangs_up=True)
        return as_json({"idempotency_key": key, "state": self.states[key]["state"]}, 202)

    @property
    def calls(self) -> list[Request]:
        return [request for request in self.requests if request.method == "POST"]


def is_signed(request: Request) -> bool:
    # Not the library's verify: that insists on the machine's clock, and the tests move theirs.
    moment = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    expected = Webhook(SECRET).sign(request.headers["webhook-id"], moment, request.body.decode())
    return expected in request.headers["webhook-signature"].split()


class PrometheusServer(LoopbackServer):
    """Answers instant queries: a value and the sample's time for every expression."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(self._answer)
        self._now = now
        self.value: float | None = 1.0
        self.sampled_at: float | None = None
        """None: always fresh, otherwise frozen at this Unix time."""
        self.is_down = False

    def _answer(self, request: Request) -> Reply:
        if self.is_down:
            return Reply(hangs_up=True)
        expression = parse_qs(urlsplit(request.path).query)["query"][0]
        now = self._now().timestamp()
        if expression.startswith("timestamp("):
            value = now if self.sampled_at is None else self.sampled_at
        else:
            value = self.value
        result = [] if value is None else [{"metric": {}, "value": [now, str(value)]}]
        return as_json({"status": "success", "data": {"resultType": "vector", "result": result}})
