"""The console's neighbours: small servers that answer as docs/architecture.md says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Answer = Callable[[dict[str, str]], Any]


class Neighbour:
    """A server whose answers are set by path; ``/readyz`` says ready unless told otherwise."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {"/readyz": {"status": "ready", "reasons": {}}}
        self.statuses: dict[str, int] = {}
        self.requests: list[str] = []
        self.posted: list[tuple[str, Any]] = []
        neighbour = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                neighbour.requests.append(self.path)
                parts = urlsplit(self.path)
                path = unquote(parts.path)
                answer = neighbour.answers.get(path)
                if callable(answer):
                    answer = answer(dict(parse_qsl(parts.query)))
                status = neighbour.statuses.get(path, 200 if answer is not None else 404)
                body = json.dumps(answer if answer is not None else {"error": "no such thing"})
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                neighbour.posted.append((self.path, json.loads(self.rfile.read(length))))
                self.do_GET()

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._server.shutdown()
        self._server.server_close()


class PrometheusNeighbour(Neighbour):
    """Answers instant queries by the beginning of their expression; others are empty."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors: dict[str, list[tuple[dict[str, str], float]]] = {}
        self.ranges: list[tuple[dict[str, str], list[tuple[float, float]]]] = []
        self.rules: list[dict[str, Any]] = []
        self.answers |= {
            "/-/ready": {},
            "/api/v1/query": self._query,
            "/api/v1/query_range": self._query_range,
            "/api/v1/rules": lambda _: success({"groups": [{"name": "g", "rules": self.rules}]}),
        }

    def _query(self, parameters: dict[str, str]) -> Any:
        expression = parameters["query"]
        found = next((v for k, v in self.vectors.items() if expression.split(" ")[0] == k), [])
        result = [{"metric": labels, "value": [0, str(value)]} for labels, value in found]
        return success({"resultType": "vector", "result": result})

    def _query_range(self, _parameters: dict[str, str]) -> Any:
        result = [
            {"metric": labels, "values": [[at, str(value)] for at, value in points]}
            for labels, points in self.ranges
        ]
        return success({"resultType": "matrix", "result": result})


def success(data: Any) -> dict[str, Any]:
    return {"status": "success", "data": data}
