"""Reads one file and prints the recipes it amounts to, or its problems, as JSON.

The agent reads its configuration that way: validation takes as much memory as all its collectors,
so it happens in a process that ends.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from agent.candidates import Candidate
from agent.collectors import COLLECTORS, HOST_KINDS, OFF_BY_DEFAULT
from agent.discovery import discover
from agent.settings.whole import AgentSettings
from watchkeeper.configuration import load, secret_files
from watchkeeper.errors import ConfigError
from watchkeeper.in_force import settings_told


def left_out(run_or_tried: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the kinds that are neither run nor were tried, and why."""
    for kind in COLLECTORS:
        if kind in run_or_tried:
            continue
        if kind in OFF_BY_DEFAULT:
            yield kind, "costs more on a larger machine: name it in host.collectors"
        elif kind in HOST_KINDS:
            yield kind, "not in host.collectors"
        else:
            yield kind, "not configured"


def main(path: Path, known: Iterable[Candidate]) -> dict[str, Any]:
    """Return what is printed: ``problems``, or ``recipes`` and ``refused``.

    Args:
        path: the file.
        known: what was discovered before.
    """
    try:
        settings = load(path, AgentSettings)
    except ConfigError as error:
        return {"problems": [dataclasses.asdict(problem) for problem in error.problems]}
    discovery = discover(settings.kinds_to_discover, os.environ, known)
    recipes = settings.recipes(discovery.watched)
    seen = {recipe.kind for recipe in recipes} | discovery.kinds
    return {
        "secrets": [(str(file), stamp) for file, stamp in secret_files(settings).items()],
        "told": settings_told(settings),
        "recipes": [dataclasses.asdict(recipe) for recipe in recipes],
        "otlp": dataclasses.asdict(settings.otlp.receiver()) if settings.otlp else None,
        "web_config": str(path.parent / settings.web_config) if settings.web_config else "",
        "kinds_to_discover": settings.kinds_to_discover,
        "discovered": [dataclasses.asdict(one) for one in discovery.watched],
        "refused": [*discovery.refused, *left_out(seen)],
    }


if __name__ == "__main__":
    remembered = [Candidate(**one) for one in json.loads(sys.stdin.read() or "[]")]
    json.dump(main(Path(sys.argv[1]), remembered), sys.stdout)
