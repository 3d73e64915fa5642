"""Python processes that are instrumented with ``watchkeeper.instrument``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from remediation.targets import Limited
from watchkeeper.configuration import DurationSeconds, Secret


class PythonTarget(Limited):
    """A process on this machine whose pages were made with a ``control_token``.

    Attributes:
        port: of its pages.
        token: the same.
    """

    port: Annotated[int, Field(ge=1, le=65535)]
    token: Secret
    time_limit: Annotated[DurationSeconds, Field(gt=0, le=600)] = 30.0


class LoggerTarget(PythonTarget):
    """A logger of such a process that may say more for a while.

    Attributes:
        logger: its name; the root when empty. It must exist: code that logs has made it.
        level: to which it is set.
        lasts: for how long; a call may ask for less.
    """

    logger: str = ""
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "DEBUG"
    lasts: Annotated[DurationSeconds, Field(ge=1, le=86_400)] = 600.0
