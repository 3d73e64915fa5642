"""What Prometheus says before an action: the rule's preconditions and the size of its pool.

Asked before the transaction that claims the action, which must not wait for another server.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from alerting.actions import Action
from alerting.remediation_rules import RuleSettings
from alerting.rule_limits import ConditionSettings
from alerting.templates import LabelMissing, fill_query
from alerting.verification import Queries
from watchkeeper.errors import UpstreamError


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What was seen outside the database.

    Attributes:
        unmet: which precondition does not hold, in words; empty when all do.
        pool_size: how many targets the pool has, or None.
        clock_jumped_at: when the clock last jumped ahead, or None.
    """

    unmet: str = ""
    pool_size: float | None = None
    clock_jumped_at: datetime | None = None


NOTHING_SEEN = Circumstances()


def look(prometheus: Queries, rule: RuleSettings, action: Action) -> Circumstances:
    """Ask for whatever the rule wants to know of this action's alert."""
    if action.compensates:
        return NOTHING_SEEN
    unmet = (_objection(prometheus, condition, action) for condition in rule.preconditions)
    return Circumstances(
        unmet=next(filter(None, unmet), ""), pool_size=_pool_size(prometheus, rule, action)
    )


def _objection(prometheus: Queries, condition: ConditionSettings, action: Action) -> str:
    """Return why a precondition does not hold, or nothing."""
    name = condition.means or condition.query
    try:
        values = _values(prometheus, condition.query, action)
    except (UpstreamError, LabelMissing) as error:
        return f"{name} cannot be told: {error}"
    if not values or not all(map(math.isfinite, values)):
        return f"there is no data for {name}"
    above = -math.inf if condition.above is None else condition.above
    below = math.inf if condition.below is None else condition.below
    wrong = [value for value in values if not above < value < below]
    return f"{name} is {wrong[0]:.4g}" if wrong else ""


def _pool_size(prometheus: Queries, rule: RuleSettings, action: Action) -> float | None:
    if rule.pool is None:
        return None
    try:
        values = _values(prometheus, rule.pool.size_query, action)
    except (UpstreamError, LabelMissing):
        return None
    if len(values) != 1 or not math.isfinite(values[0]) or values[0] < 1:
        return None
    return values[0]


def _values(prometheus: Queries, query: str, action: Action) -> list[float]:
    return [s.value for s in prometheus.query(fill_query(query, action.alert_labels))]
