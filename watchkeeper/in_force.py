"""Telling the configuration in force over HTTP: what a service runs on, with no secret in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the agent tells its settings too, and keeps pydantic out of its memory
    from watchkeeper.configuration import Settings
    from watchkeeper.watched import Watched

PATH = "/api/v1/configuration"

MASK = "***"
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")


def told(file: Watched[Any]) -> dict[str, Any]:
    """Return one file as it is told."""
    return {
        "file": file.path.name,
        "problem": str(file.problem) if file.problem else None,
        "settings": settings_told(file.current),
    }


def settings_told(settings: Settings) -> Any:
    """Return settings as plain data under the file's own keys.

    A ``Secret`` tells where it is read from and never its value; what stands before the ``@`` of an
    address is masked.
    """
    return _masked(settings.model_dump(mode="json", by_alias=True))


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _masked(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_masked(entry) for entry in value]
    return _USERINFO.sub(f"{MASK}@", value) if isinstance(value, str) else value
