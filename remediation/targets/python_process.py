"""Python processes that are instrumented with ``watchkeeper.instrument``."""

from __future__ import annotations

from typing import Annotated

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
