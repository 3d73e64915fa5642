"""Carries out the steps of a plan: over HTTP, or through the supervisor's control socket."""

from __future__ import annotations

import requests

from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.gameday.plan import Step
from watchkeeper.supervisor.client import SupervisorClient

CALL_TIMEOUT_SECONDS = 10.0


class StackBreaker:
    """Breaks the stack that ``supervisor`` runs, and whatever answers on this machine's ports."""

    def __init__(self, supervisor: SupervisorClient) -> None:
        self._supervisor = supervisor
        self._session = requests.Session()
        self._session.trust_env = False

    def do(self, step: Step) -> None:
        """Carry out ``step``; raise WatchkeeperError when it could not be."""
        if step.url is not None:
            self._call(step.method, step.url)
        elif step.kill is not None:
            self._supervisor.kill(step.kill, signal=step.signal)
        elif step.restart is not None:
            self._supervisor.restart(step.restart)
        elif step.scale is not None:
            self._supervisor.scale(step.scale, step.instances)

    def _call(self, method: str, url: str) -> None:
        try:
            answer = self._session.request(
                method, url, timeout=CALL_TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            raise UpstreamError(f"{method} {url}: {type(error).__name__}") from None
        if not answer.ok:
            raise UpstreamError(
                f"{method} {url} answered {answer.status_code}: {answer.text[:200]}",
                reason=Reason.HTTP_STATUS,
                status=answer.status_code,
            )
