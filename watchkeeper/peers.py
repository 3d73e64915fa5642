"""Calling our own services over HTTP, with the stack's token when there is one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests

from watchkeeper import addresses
from watchkeeper.errors import Reason, UpstreamError


class Peer:
    """One of our services, such as ``Peer("alerting")``.

    Args:
        part: its name in ``addresses``.
        timeout_seconds: for connecting and for each read.
        base_url: instead of the configured address.
    """

    def __init__(
        self, part: str, *, timeout_seconds: float = 5.0, base_url: str | None = None
    ) -> None:
        self.part = part
        self.base_url = base_url or addresses.url_of(part)
        self._timeout_seconds = timeout_seconds
        self._session = requests.Session()
        self._session.trust_env = False
        token = addresses.api_token()
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

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
            answer = self._session.get(f"{self.base_url}/readyz", timeout=self._timeout_seconds)
        except requests.RequestException:
            return False
        return answer.status_code == 200

    def readiness(self) -> dict[str, str]:
        """Return why the service is not ready, by check; empty when it is.

        Raises:
            UpstreamError: it cannot be asked, or does not answer as a service of ours.
        """
        answer = self._send("GET", "/readyz")
        if answer.status_code == 200:
            return {}
        body = self._json_of(answer)
        reasons = body.get("reasons") if isinstance(body, dict) else None
        if answer.status_code != 503 or not isinstance(reasons, dict):
            raise self._unexpected(answer)
        return {str(name): str(reason) for name, reason in reasons.items()}

    def _call(
        self, method: str, path: str, *, parameters: dict[str, str] | None = None, body: Any = None
    ) -> Any:
        answer = self._send(method, path, parameters=parameters, body=body)
        if not 200 <= answer.status_code < 300:  # .ok holds for a redirect, which did nothing
            raise self._unexpected(answer)
        return self._json_of(answer) if answer.content else None

    def _send(
        self, method: str, path: str, *, parameters: dict[str, str] | None = None, body: Any = None
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                self.base_url + path,
                params=parameters,
                json=body,
                timeout=self._timeout_seconds,
                allow_redirects=False,
            )
        except requests.Timeout:
            raise UpstreamError(
                f"{self.part} did not answer within {self._timeout_seconds:g} s",
                reason=Reason.TIMEOUT,
            ) from None
        except requests.RequestException as error:
            raise UpstreamError(
                f"{self.part} cannot be reached at {self.base_url}: {type(error).__name__}"
            ) from None

    def _json_of(self, answer: requests.Response) -> Any:
        try:
            return answer.json()
        except requests.exceptions.JSONDecodeError:
            raise UpstreamError(
                f"{self.part} answered {answer.status_code} without JSON",
                reason=Reason.BAD_ANSWER,
                status=answer.status_code,
            ) from None

    def _unexpected(self, answer: requests.Response) -> UpstreamError:
        return UpstreamError(
            f"{self.part} answered {answer.status_code}{elsewhere(answer)}: {answer.text[:300]}",
            reason=Reason.HTTP_STATUS,
            status=answer.status_code,
        )


def elsewhere(answer: requests.Response) -> str:
    """Return in words where a redirect points, as far as its host; empty for other answers."""
    location = answer.headers.get("Location")
    if location is None:
        return ""
    try:
        host = urlsplit(location).hostname
    except ValueError:
        return " with a Location that is no address"
    return f" with a redirect to {host or 'another path'}"
