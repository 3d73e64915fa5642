"""Asks the servers that nobody configured whether they let us watch them.

Each is asked once, as its collector would, with what the environment says and no password of our
own guessing. One that refuses is not watched, and ``watchkeeper agent --list`` says why. Whoever
listens there may say anything, or nothing for ever: all are asked at a time, within one limit.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from agent.candidates import Candidate, Senseless, candidates
from agent.collector import Collector
from agent.collectors import make
from agent.presence import is_listened_at
from watchkeeper.errors import WatchkeeperError

LOOK_SECONDS = 6.0
"""For all of them; a collector's own limits end a single one before that."""

SILENT = {"rq": "RQ keeps no queues there"}
"""Why a server that lets us in and tells nothing is not watched, by kind."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A candidate, and why it cannot be watched; ``problem`` is None when it can."""

    candidate: Candidate
    problem: str | None


class Discovery(NamedTuple):
    """What came of looking for what nobody configured.

    Attributes:
        kinds: of which there was a place to look at.
        watched: what can be watched, and what once could.
        refused: what is not: name and reason.
    """

    kinds: frozenset[str]
    watched: list[Candidate]
    refused: list[tuple[str, str]]


def discover(
    kinds: Collection[str], environment: Mapping[str, str], known: Iterable[Candidate] = ()
) -> Discovery:
    """Look for servers of ``kinds``, each place once.

    Args:
        known: what was discovered before. It is watched as long as its kind is discovered at all:
            a server that is down, or refuses us now, must not vanish from the alerts about it.
    """
    if not kinds:
        return Discovery(frozenset(), [], [])
    kept = {candidate.name: candidate for candidate in known if candidate.kind in kinds}
    found: dict[str, Candidate] = {}
    refused = []
    for candidate in candidates(environment):
        if isinstance(candidate, Senseless):
            refused.append((candidate.name, candidate.problem))
        elif candidate.kind in kinds:
            found.setdefault(candidate.name, candidate)
    findings = look_at([one for name, one in found.items() if name not in kept])
    refused += [(one.candidate.name, one.problem) for one in findings if one.problem is not None]
    fresh = {one.candidate.name for one in findings if one.problem is None}
    places = kept | found
    watched = [one for name, one in places.items() if name in kept or name in fresh]
    return Discovery(frozenset(one.kind for one in places.values()), watched, refused)


def look_at(found: Iterable[Candidate], seconds: float = LOOK_SECONDS) -> list[Finding]:
    """Return for each place what came of asking there, ``seconds`` later at the latest."""
    waiting = {candidate.name: candidate for candidate in found}
    problems: dict[str, str | None] = dict.fromkeys(waiting, f"no answer within {seconds:g} s")
    answers: queue.SimpleQueue[tuple[str, str | None]] = queue.SimpleQueue()

    def ask(candidate: Candidate) -> None:
        answers.put((candidate.name, problem_of(candidate)))

    for candidate in waiting.values():
        threading.Thread(target=ask, args=[candidate], daemon=True).start()
    ends_at = time.monotonic() + seconds
    for _ in waiting:
        try:
            name, problem = answers.get(timeout=max(0.0, ends_at - time.monotonic()))
        except queue.Empty:
            break
        problems[name] = problem
    return [Finding(candidate, problems[name]) for name, candidate in waiting.items()]


ONE_LOOK: Mapping[str, Any] = {
    "statements": 0, "tables": 0, "timeout_seconds": 1.0, "slow_interval_seconds": 3600.0,
}  # fmt: skip
LEAST: Mapping[str, Mapping[str, Any]] = {"postgres": ONE_LOOK, "mysql": ONE_LOOK}
"""What a collector needs besides, for one look."""


def problem_of(candidate: Candidate) -> str | None:
    """Return why the server cannot be watched, or None when it can."""
    if not is_listened_at(candidate):
        return "nothing listens there"
    arguments = {**candidate.arguments, **LEAST.get(candidate.kind, {})}
    collector: Collector = make(candidate.kind, arguments)
    try:
        told = list(collector.collect())
    except WatchkeeperError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  # the supervised boundary: a stranger's answer
        return f"its answer makes no sense ({type(error).__name__})"
    finally:
        collector.close()
    return None if told else SILENT.get(candidate.kind)


def main(asked: Mapping[str, Any], environment: Mapping[str, str]) -> list[str]:
    """Return the names of servers of the ``kinds`` asked for that are not ``known``."""
    known = [Candidate(**one) for one in asked["known"]]
    names = {one.name for one in known}
    found = discover(asked["kinds"], environment, known).watched
    return [one.name for one in found if one.name not in names]


if __name__ == "__main__":
    json.dump(main(json.load(sys.stdin), os.environ), sys.stdout)
