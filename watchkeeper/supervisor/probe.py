"""Asking a process whether it is ready."""

from __future__ import annotations

import socket
from dataclasses import dataclass

import requests

TIMEOUT_SECONDS = 2.0
REASONS_LENGTH = 500
"""In characters: what still reads as a line of a table."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process said when it was asked.

    Attributes:
        problem: why it is not ready; None when it is.
        is_silent: it said nothing at all, as one that hangs does.
    """

    problem: str | None
    is_silent: bool = False


READY = Answer(None)


@dataclass(frozen=True, slots=True)
class Probe:
    """How to ask: a path answered with 200, or ``tcp`` for an accepted connection."""

    port: int
    ready: str

    def ask(self) -> Answer:
        """Return what the process says of itself."""
        return self._connect() if self.ready == "tcp" else self._get()

    def _connect(self) -> Answer:
        try:
            socket.create_connection(("127.0.0.1", self.port), TIMEOUT_SECONDS).close()
        except OSError:
            return Answer(f"nothing listens on port {self.port} yet", is_silent=True)
        return READY

    def _get(self) -> Answer:
        url = f"http://127.0.0.1:{self.port}{self.ready}"
        try:
            with requests.Session() as session:
                session.trust_env = False  # a proxy variable must not answer for our process
                answer = session.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        except requests.Timeout:
            problem = f"{self.ready} did not answer within {TIMEOUT_SECONDS:g} s"
            return Answer(problem, is_silent=True)
        except requests.RequestException:
            return Answer(f"nothing answers on port {self.port} yet", is_silent=True)
        if answer.status_code == 200:
            return READY
        return Answer(_reasons(answer) or f"{self.ready} answered {answer.status_code}")


def _reasons(answer: requests.Response) -> str:
    try:
        reasons = answer.json()["reasons"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    # Ours answer a mapping; a process of the user's may answer anything.
    if isinstance(reasons, dict):
        reasons = list(reasons.values())
    if not isinstance(reasons, list):
        reasons = [reasons]
    return "; ".join(str(reason) for reason in reasons if reason)[:REASONS_LENGTH]
