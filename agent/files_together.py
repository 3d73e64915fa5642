"""Whether agent.yml and the web configuration file it names, each a file, also fit together."""

from __future__ import annotations

from pathlib import Path

from agent.settings.whole import AgentSettings
from agent.web.settings import read
from watchkeeper.check import config_file
from watchkeeper.configuration import line_of, load
from watchkeeper.errors import ConfigError, Problem


def problems_in(config_dir: Path | None) -> list[Problem]:
    """Return what is wrong with the web configuration file, and with the files that it names."""
    place = config_file("agent.yml", config_dir)
    try:
        named = load(place, AgentSettings).web_config
    except ConfigError:
        return []  # told where the file is checked by itself
    if not named:
        return []
    file = place.parent / named
    if not file.is_file():
        message = f"expected a file, and there is none at {file}"
        return [Problem(str(place), line_of(place, "web_config") or 1, "web_config", message)]
    try:
        read(file)
    except ConfigError as error:
        return error.problems
    return []
