"""Calling our own services over HTTP, with the stack's token when there is one."""

from __future__ import annotations

import json
from typing import Any

from watchkeeper import addresses
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.http_session import HTTPSession, elsewhere
from watchkeeper.outbound import Answer

MAX_ANSWER_BYTES = 64 << 20
"""Many times the longest of our lists, each of which has a limit of its own."""


class Peer:
    """One of our services, such as ``Peer("alerting")``.

    Args:
        part: its name in ``addresses``.
        timeout_seconds: for connecting and the whole answer.
        base_url: instead of the configured address.
    """

    def __init__(
        self, part: str, *, timeout_seconds: float = 5.0, base_url: str | None = None
    ) -> None:
        self.part = part
        self.base_url = base_url or addresses.url_of(part)
        self._timeout_seconds = timeout_seconds
        token = addresses.api_token()
        self._session = HTTPSession({"Authorization": f"Bearer {token}"} if token else None)

    def get(self, path: str, **parameters: str) -> Any:
        """Return the JSON at ``path``; raise UpstreamError when there is none."""
        return self._call("GET", path, parameters=parameters)

    def post(self, path: str, body: Any = None) -> Any:
        """Send ``body`` as JSON and return the JSON answer; raise UpstreamError otherwise."""
        return self._call("POST", path, body=body)

    def delete(self, path: str) -> Any:
        """Delete ``path`` and return the JSON answer; raise UpstreamError otherwise."""
        return self._call("DELETE", path)

    def is_ready(self) -> bool:
        """Return whether the service answers /readyz with 200."""
        try:
            return self._send("GET", "/readyz").status == 200
        except UpstreamError:
            return False

    def readiness(self) -> dict[str, str]:
        """Return why the service is not ready, by check; empty when it is.

        Raises:
            UpstreamError: it cannot be asked, or does not answer as a service of ours.
        """
        answer = self._send("GET", "/readyz")
        if answer.status == 200:
            return {}
        body = self._json_of(answer)
        reasons = body.get("reasons") if isinstance(body, dict) else None
        if answer.status != 503 or not isinstance(reasons, dict):
            raise self._unexpected(answer)
        return {str(name): str(reason) for name, reason in reasons.items()}

    def _call(
        self, method: str, path: str, *, parameters: dict[str, str] | None = None, body: Any = None
    ) -> Any:
        answer = self._send(method, path, parameters=parameters, body=body)
        if not 200 <= answer.status < 300:  # .ok holds for a redirect, which did nothing
            raise self._unexpected(answer)
        return self._json_of(answer) if answer.body else None

    def _send(
        self, method: str, path: str, *, parameters: dict[str, str] | None = None, body: Any = None
    ) -> Answer:
        return self._session.ask(
            method,
            self.base_url + path,
            name=self.part,
            timeout_seconds=self._timeout_seconds,
            limit_bytes=MAX_ANSWER_BYTES,
            params=parameters,
            json=body,
        )

    def _json_of(self, answer: Answer) -> Any:
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            raise UpstreamError(
                f"{self.part} answered {answer.status} without JSON",
                reason=Reason.BAD_ANSWER,
                status=answer.status,
            ) from None

    def _unexpected(self, answer: Answer) -> UpstreamError:
        return UpstreamError(
            f"{self.part} answered {answer.status}{elsewhere(answer)}: {answer.text[:300]}",
            reason=Reason.HTTP_STATUS,
            status=answer.status,
        )
