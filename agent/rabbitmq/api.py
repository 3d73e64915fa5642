"""The management API over one connection that stays open."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from agent.trust import Trust
from watchkeeper.errors import Reason, UpstreamError

MAX_ANSWER_BYTES = 16 << 20
"""A longer answer is refused: one huge list must not fill our memory."""

REASON_OF_STATUS = {401: Reason.AUTHENTICATION, 403: Reason.PERMISSION}


class ManagementApi:
    """Asks questions.

    Args:
        url: ``http://host:port`` or ``https://host:port``.
        user: of RabbitMQ, with the tag ``monitoring``.
        password: of the user.
        certificates: file with the authorities to trust; empty for the system's.
        timeout_seconds: of each answer.
    """

    def __init__(
        self, *, url: str, user: str, password: str, certificates: str, timeout_seconds: float
    ) -> None:
        target = urlsplit(url)
        self.name = target.netloc
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"}
        self._timeout_seconds = timeout_seconds
        self._trust = Trust(certificates) if target.scheme == "https" else None
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> Any:
        """Return the answer to a question as plain data.

        Raises:
            UpstreamError: it cannot be reached, refuses us, or makes no sense.
        """
        try:
            status, body = self._asked(path)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            reason = Reason.TIMEOUT if isinstance(error, TimeoutError) else Reason.CONNECTION
            raise UpstreamError(f"{self.name} cannot be asked: {error}", reason=reason) from None
        if status != http.HTTPStatus.OK:
            reason = REASON_OF_STATUS.get(status, Reason.HTTP_STATUS)
            raise UpstreamError(f"{self.name} answered {status}", reason=reason, status=status)
        try:
            return json.loads(body)
        except ValueError:
            message = f"{self.name} answered with what is no JSON"
            raise UpstreamError(message, reason=Reason.BAD_ANSWER) from None

    def _asked(self, path: str) -> tuple[int, bytes]:
        with contextlib.suppress(http.client.RemoteDisconnected, ConnectionResetError):
            if self._connection is not None and self._connection.sock is not None:
                return self._ask(self._connection, path)
        # The server ends connections that were idle; a new one must do.
        self.close()
        self._connection = self._made()
        return self._ask(self._connection, path)

    def _made(self) -> http.client.HTTPConnection:
        if self._trust is None:
            return http.client.HTTPConnection(self.name, timeout=self._timeout_seconds)
        return http.client.HTTPSConnection(
            self.name, timeout=self._timeout_seconds, context=self._trust.context()
        )

    def _ask(self, connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
        connection.request("GET", path, headers=self._headers)
        with connection.getresponse() as answer:
            body = answer.read(MAX_ANSWER_BYTES + 1)
            if len(body) > MAX_ANSWER_BYTES:
                self.close()
                message = f"{self.name} answered with more than {MAX_ANSWER_BYTES} bytes"
                raise UpstreamError(message, reason=Reason.BAD_ANSWER)
            return answer.status, body

    def close(self) -> None:
        """Close the connection; the next question makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
