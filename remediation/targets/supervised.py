"""Processes of the supervisor."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from remediation.targets import Limited


class RestartTarget(Limited):
    """A supervised process that may be restarted."""


class ScaleTarget(Limited):
    """A supervised process that may be scaled out, never past ``maximum`` instances."""

    maximum: Annotated[int, Field(ge=1, le=100)]
