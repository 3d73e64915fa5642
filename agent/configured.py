"""The configuration in force: recipes, read by a process that ends once it has read them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agent.otlp.receiver import Receiver
from agent.recipe import Recipe
from watchkeeper.errors import ConfigError, Problem
from watchkeeper.stamp import Stamp

READ_SECONDS = 30.0
"""Long enough for a machine under full load; a secret on a hung mount must not hold us for ever."""


class Configured(NamedTuple):
    """What a file amounts to on this machine.

    Attributes:
        recipes: what to run.
        refused: what is not watched: servers that were looked for, and kinds: name and reason.
        web_config: the web configuration file it names, if any.
        receiver: where to push to, if anywhere.
        secrets: the files that its secrets are in, and what those were when they were read.
        kinds_to_discover: kinds of server that are looked for.
        discovered: the places that are watched without being configured; may hold passwords.
        told: the settings as anybody may read them, without a secret, as JSON.
    """

    recipes: list[Recipe]
    refused: list[tuple[str, str]]
    web_config: Path | None
    receiver: Receiver | None
    secrets: Mapping[Path, Stamp]
    kinds_to_discover: Sequence[str] = ()
    discovered: Sequence[Mapping[str, Any]] = ()
    told: str = "{}"


def read_recipes(path: Path) -> list[Recipe]:
    """Return what the file at ``path`` asks for; raise as ``read_configured``."""
    return read_configured(path).recipes


class RememberingReader:
    """Reads configuration as ``read_configured``, and keeps what was once discovered."""

    def __init__(self) -> None:
        self._discovered: Sequence[Mapping[str, Any]] = ()

    def __call__(self, path: Path) -> Configured:
        """Return what the file at ``path`` asks for; raise as ``read_configured``."""
        configured = read_configured(path, self._discovered)
        self._discovered = configured.discovered
        return configured


def read_configured(path: Path, discovered: Sequence[Mapping[str, Any]] = ()) -> Configured:
    """Return what the file at ``path`` asks for, and what discovery had to leave out.

    Args:
        path: the file.
        discovered: what was discovered before; it is watched, whether it is there now or not.

    Raises:
        ConfigError: listing every problem with file, line, key and what was expected.
    """
    answer = read_elsewhere("agent.settings", path, json.dumps(list(discovered)))
    recipes = [Recipe(**recipe) for recipe in answer["recipes"]]
    web_config = answer["web_config"]
    return Configured(
        recipes,
        [(name, reason) for name, reason in answer["refused"]],
        Path(web_config) if web_config else None,
        Receiver(**answer["otlp"]) if answer["otlp"] else None,
        {Path(file): Stamp(*stamp) for file, stamp in answer["secrets"]},
        answer["kinds_to_discover"],
        answer["discovered"],
        json.dumps(answer["told"]),
    )


def read_elsewhere(module: str, path: Path, told: str = "") -> dict[str, Any]:
    """Return what ``module``, run as a program of its own, makes of the file at ``path``.

    Args:
        module: prints its answer as JSON.
        path: its argument.
        told: its input, where nobody else can read it.

    Validation takes as much memory as all collectors, so it happens in a process that ends.

    Raises:
        ConfigError: listing every problem with file, line, key and what was expected.
    """
    command = [sys.executable, "-m", module, str(path)]
    try:
        done = subprocess.run(
            command,
            input=told.encode(),
            capture_output=True,
            timeout=READ_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        message = f"reading it took longer than {READ_SECONDS:g} s"
        # As if it had changed meanwhile: nothing is wrong with it, so it is tried again.
        again = ((str(path), Stamp()),)
        raise ConfigError([Problem(str(path), 1, "", message, again)]) from None
    except subprocess.CalledProcessError as error:
        raise ConfigError([Problem(str(path), 1, "", _failure(error))]) from None
    answer: dict[str, Any] = json.loads(done.stdout)
    if "problems" in answer:
        raise ConfigError([_problem(problem) for problem in answer["problems"]])
    return answer


def _problem(told: dict[str, Any]) -> Problem:
    leans_on = tuple((file, Stamp(*stamp)) for file, stamp in told.pop("leans_on"))
    return Problem(**told, leans_on=leans_on)


def _failure(error: subprocess.CalledProcessError) -> str:
    """Return where the reading failed; not in its own words, which may hold a secret."""
    failure = f"cannot be read: the process that reads it ended with {error.returncode}"
    told = error.stderr.decode("utf-8", "replace")
    places = re.findall(r'^  File ".*?([^/"]+)", line (\d+)', told, re.MULTILINE)
    return f"{failure} at {':'.join(places[-1])}" if places else failure
