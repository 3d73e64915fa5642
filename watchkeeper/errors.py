"""The one error tree.

    WatchkeeperError
    ├── ConfigError        a configuration file cannot be used; lists every problem found
    ├── UpstreamError      a server we depend on did not give a usable answer
    │   └── NeverSent      no byte reached the receiver, so trying again is safe
    │       └── EgressRefused  we refused to make the call
    ├── StorageError       the database cannot be read or written
    └── Refused            a request was understood and declined

Every error carries a ``reason``: a short fixed word that is safe to use as a metric label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from watchkeeper.stamp import Stamp


class Reason(StrEnum):
    """Why something failed, in words fit for a metric label."""

    CONFIG = "config"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    HTTP_STATUS = "http_status"
    BAD_ANSWER = "bad_answer"
    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    FORBIDDEN_ADDRESS = "forbidden_address"
    STORAGE = "storage"
    REFUSED = "refused"
    BUSY = "busy"
    UNEXPECTED = "unexpected"


class WatchkeeperError(Exception):
    """Base of every error we raise on purpose."""

    reason: Reason = Reason.UNEXPECTED

    def __init__(self, message: str, *, reason: Reason | None = None) -> None:
        super().__init__(message)
        if reason is not None:
            self.reason = reason


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the configuration, told so that it can be mended.

    Attributes:
        file: the file; or the option or environment variable, which have no lines.
        line: from 1; 0 for what has no lines.
        leans_on: other files, each as it was: once one of them is another, it may be mended.
    """

    file: str
    line: int
    key: str
    message: str
    leans_on: tuple[tuple[str, Stamp], ...] = ()

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class ConfigError(WatchkeeperError):
    """A configuration file cannot be used; ``problems`` lists all that is wrong with it."""

    reason = Reason.CONFIG

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems

    @property
    def leans_on(self) -> Mapping[Path, Stamp]:
        """The files besides the configuration that problems are with, as they were."""
        return {Path(file): stamp for one in self.problems for file, stamp in one.leans_on}


class UpstreamError(WatchkeeperError):
    """A server we depend on did not give a usable answer."""

    reason = Reason.CONNECTION

    def __init__(
        self, message: str, *, reason: Reason | None = None, status: int | None = None
    ) -> None:
        super().__init__(message, reason=reason)
        self.status = status


class NeverSent(UpstreamError):  # noqa: N818  # it names what happened
    """No byte of the request reached the receiver: it cannot have acted, trying again is safe."""


class EgressRefused(NeverSent):
    """We refused to make an outbound call."""

    reason = Reason.FORBIDDEN_ADDRESS


class StorageError(WatchkeeperError):
    """The database cannot be read or written."""

    reason = Reason.STORAGE


class Refused(WatchkeeperError):  # noqa: N818  # it names what happened
    """A request was understood and declined."""

    reason = Reason.REFUSED
