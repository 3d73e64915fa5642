"""What may be done to what: the models of `endpoint.yml`'s targets, one file for each kind."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from watchkeeper.configuration import DurationSeconds, Settings


class Limited(Settings):
    """What may be done within a time."""

    time_limit: Annotated[DurationSeconds, Field(gt=0, le=600)] = 90.0
