"""Whether an action worked, judged by data that is newer than the action.

``judge`` is pure; ``observe`` asks Prometheus. Missing, stale or NaN data is never success.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alerting.remediation_rules import CheckSettings, VerificationSettings
from alerting.templates import fill_query
from watchkeeper.errors import UpstreamError
from watchkeeper.prometheus import Sample


@dataclass(frozen=True, slots=True)
class Observation:
    """What one check saw at one time.

    Attributes:
        values: one for each series of the query.
        sampled_at: Unix seconds of the newest sample of each series of ``fresh``.
        error: why nothing could be seen, or empty.
    """

    values: tuple[float, ...] = ()
    sampled_at: tuple[float, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a verification got: good samples in a row, and how new the last counted one was."""

    good_in_a_row: int = 0
    counted_at: float = 0.0
    last_seen: str = "nothing yet"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``is_final`` with ``is_verified`` says how it ended; otherwise look again."""

    progress: Progress
    is_final: bool = False
    is_verified: bool = False


class Queries(Protocol):
    """What is needed of Prometheus."""

    def query(self, expression: str) -> list[Sample]:
        """Evaluate an instant query; raise UpstreamError without an answer."""


def filled(policy: VerificationSettings, labels: Mapping[str, str]) -> VerificationSettings:
    """Return ``policy`` with its queries filled; raise LabelMissing for an absent label."""
    checks = tuple(
        check.model_copy(
            update={
                "query": fill_query(check.query, labels),
                "fresh": fill_query(check.fresh, labels),
            }
        )
        for check in policy.checks
    )
    return policy.model_copy(update={"checks": checks})


def observe(prometheus: Queries, checks: Sequence[CheckSettings]) -> list[Observation]:
    """Ask Prometheus for every check."""
    return [_observe_one(prometheus, check) for check in checks]


def _observe_one(prometheus: Queries, check: CheckSettings) -> Observation:
    try:
        values = prometheus.query(check.query)
        # The sample's own time: an instant query looks back five minutes and would hide its age.
        stamps = prometheus.query(f"timestamp({check.fresh})")
    except UpstreamError as error:
        return Observation(error=str(error))
    return Observation(
        tuple(sample.value for sample in values), tuple(sample.value for sample in stamps)
    )


def judge(
    policy: VerificationSettings,
    observations: Sequence[Observation],
    progress: Progress,
    *,
    completed_at: datetime,
    now: datetime,
) -> Verdict:
    """Return what the newest observations add to ``progress``, and whether that decides it.

    Args:
        policy: the rule's verification.
        observations: one for each check, in order.
        progress: what the last call returned.
        completed_at: when the action ended.
        now: the deadline counts from ``completed_at`` to this.
    """
    newest_needed = completed_at.timestamp() + policy.settle_seconds
    pairs = list(zip(policy.checks, observations, strict=True))
    objection = next(
        (found for check, seen in pairs if (found := _objection(check, seen, newest_needed))), ""
    )
    sampled_at = min((min(seen.sampled_at, default=0.0) for seen in observations), default=0.0)
    if objection:
        progress = Progress(0, progress.counted_at, objection)
    elif sampled_at > progress.counted_at:
        seen_text = "; ".join(_shown(check, seen) for check, seen in pairs)
        progress = Progress(progress.good_in_a_row + 1, sampled_at, seen_text)
    if progress.good_in_a_row >= policy.samples:
        return Verdict(progress, is_final=True, is_verified=True)
    is_late = (now - completed_at).total_seconds() >= policy.deadline_seconds
    return Verdict(progress, is_final=is_late)


def _objection(check: CheckSettings, seen: Observation, newest_needed: float) -> str:
    """Return why this observation is no evidence of success, or nothing."""
    faults = (
        (bool(seen.error), seen.error),
        (not seen.values, f"no data for {check.means or check.query}"),
        (not all(map(math.isfinite, seen.values)), f"{check.means or check.query} is not a number"),
        (not seen.sampled_at, f"no fresh data: {check.fresh} is absent"),
        (
            not all(stamp > newest_needed for stamp in seen.sampled_at),
            f"no fresh data yet: {check.fresh} is older than the action and its settling",
        ),
        (not all(_holds(check, value) for value in seen.values), _shown(check, seen)),
    )
    return next((text for is_fault, text in faults if is_fault), "")


def _holds(check: CheckSettings, value: float) -> bool:
    above = check.above is None or value > check.above
    below = check.below is None or value < check.below
    return above and below


def _shown(check: CheckSettings, seen: Observation) -> str:
    bounds = [f"above {check.above:g}"] if check.above is not None else []
    bounds += [f"below {check.below:g}"] if check.below is not None else []
    values = ", ".join(f"{value:.4g}" for value in seen.values[:5])
    return f"{check.means or check.query} is {values} (wanted {' and '.join(bounds)})"
