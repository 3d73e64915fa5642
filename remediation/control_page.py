"""The control pages of a process that is instrumented with ``watchkeeper.instrument``."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from remediation.targets.python_process import PythonTarget
from watchkeeper import outbound
from watchkeeper.errors import Reason, UpstreamError

THIS_MACHINE = outbound.EgressPolicy.parse(["127.0.0.1"])


class ControlPage:
    """One page of one process on this machine.

    Args:
        target: what people call the process.
        allowed: where it is, and the token.
        path: of the page, from ``watchkeeper.instrument.control``.
    """

    def __init__(self, target: str, allowed: PythonTarget, path: str) -> None:
        self._target = target
        self._allowed = allowed
        self._path = path

    def look(self, **asked: str) -> dict[str, Any]:
        """Return how things are; raise UpstreamError when the process does not say."""
        return self._ask("GET", f"?{urlencode(asked)}" if asked else "", b"")

    def act(self, **asked: str) -> dict[str, Any]:
        """Have it done, and return what came of it; raise UpstreamError when it was not."""
        return self._ask("POST", "", json.dumps(asked).encode())

    def _ask(self, method: str, query: str, body: bytes) -> dict[str, Any]:
        answer = outbound.send(
            method,
            f"http://127.0.0.1:{self._allowed.port}{self._path}{query}",
            policy=THIS_MACHINE,
            headers={"Authorization": f"Bearer {self._allowed.token.reveal()}"},
            body=body,
            timeout_seconds=self._allowed.time_limit,
        )
        if answer.status != 200:
            raise UpstreamError(
                f"{self._target} answered {answer.status}: {answer.text[:200]}",
                reason=Reason.AUTHENTICATION if answer.status == 401 else Reason.HTTP_STATUS,
                status=answer.status,
            )
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise UpstreamError(
                f"{self._target}: the answer is none of a control page", reason=Reason.BAD_ANSWER
            )
        return found
