"""Has a logger of the process say more, or less."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

INHERITED = "NOTSET"


class LogLevel:
    """Python's logging; ``logger`` names one of it, the root when it is empty."""

    def look(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the level of a logger, and the one in force when it has none of its own."""
        return _told(_logger(asked))

    def act(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Set the level, and return what holds from now on."""
        logger = _logger(asked)
        level = asked.get("level")
        known = logging.getLevelNamesMapping()
        if level not in known:
            raise ValueError(f"level: expected one of {', '.join(known)}, got {level!r}")
        logger.setLevel(known[level])
        return _told(logger)


def _logger(asked: Mapping[str, Any]) -> logging.Logger:
    name = asked.get("logger", "")
    if not isinstance(name, str):
        raise ValueError(f"logger: expected a name, got {name!r}")  # noqa: TRY004  # ours to answer
    # Asking for a logger would make it: a name mistyped would be a success that does nothing.
    if name and name not in logging.Logger.manager.loggerDict:
        raise ValueError(f"logger: the process has none called {name!r}")
    return logging.getLogger(name)


def _told(logger: logging.Logger) -> dict[str, Any]:
    return {
        "logger": logger.name,
        "level": logging.getLevelName(logger.level),
        "in_force": logging.getLevelName(logger.getEffectiveLevel()),
    }
