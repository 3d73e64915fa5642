"""Tells what happens to actions: on the timeline, in the audit, in metrics and to people."""

from __future__ import annotations

from functools import partial
from typing import Any

from alerting import actions, audit, timeline
from alerting.actions import Action, State
from alerting.decision import Denied
from alerting.pipeline import Event, Occurrence, Work
from alerting.stages.notify import tell
from alerting.stages.route import receivers_of
from alerting.telemetry import Telemetry
from alerting.timeline import Kind
from watchkeeper.storage import after_commit

SELF_CORRECTING = frozenset(
    {"cooldown", "target_busy", "muted", "window", "pool", "precondition", "clock"}
)
"""Refusals that pass by themselves within minutes: on the timeline, but nobody is woken."""

MOOT = frozenset({"not_needed", "mode"})
"""Refusals that need nobody: there is nothing to do any more."""


class Story:
    """Writes inside the caller's transaction, so that the story and the state never differ.

    What it counts is counted when that transaction is on disk: one that fails is taken again.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def denied(self, action: Action, denial: Denied, work: Work) -> None:
        """Record a refusal: once an action and guard, however often the guard is asked again."""
        is_news = denial.guard not in action.denied_by
        values: dict[str, Any] = {"denied_by": [*action.denied_by, denial.guard]} if is_news else {}
        if denial.again_at is None:
            values |= {"state": State.DENIED, "finished_at": work.now}
        else:
            values |= {"state": State.READY, "next_step_at": denial.again_at}
        if not actions.settle(work.connection, action, summary=f"not now: {denial.text}", **values):
            return
        if not is_news:
            return
        after_commit(work.connection, partial(self._telemetry.denied, action.rule, denial.guard))
        self.audited(action, "denied", work, guard=denial.guard, text=denial.text)
        self.told(action, Kind.ACTION_DENIED, denial.text, work, guard=denial.guard)
        if not action.endpoint:
            return  # a message that is not sent needs no other one to say so
        is_last_word = bool(action.compensates) and denial.again_at is None
        if is_last_word or denial.guard not in SELF_CORRECTING | MOOT:
            self.tell_people(action, Event.ESCALATED, work)

    def observed(self, action: Action, work: Work, **values: Any) -> None:
        """Record what an action would have done; ``values`` hold the exact ``body``."""
        summary = "would have been done (observe mode)"
        settled = actions.settle(
            work.connection,
            action,
            state=State.OBSERVED,
            summary=summary,
            finished_at=work.now,
            **values,
        )
        if settled:
            self.audited(action, "observed", work, body=values["body"])
            self.told(action, Kind.ACTION_PROPOSED, summary, work, body=values["body"])
            self.ended(action, State.OBSERVED, work)

    def audited(self, action: Action, event: str, work: Work, **detail: Any) -> None:
        """Append to the audit."""
        audit.append(
            work.connection,
            actor=f"rule:{action.rule}",
            event=event,
            subject=action.idempotency_key,
            now=work.now,
            detail={**action.detail, **detail},
        )

    def told(self, action: Action, kind: Kind, text: str, work: Work, **detail: Any) -> None:
        """Append to the incident's timeline."""
        timeline.add(
            work.connection,
            action.incident_id,
            kind,
            f"{action.described}: {text}",
            now=work.now,
            detail={**action.detail, **detail},
        )

    def tell_people(self, action: Action, event: Event, work: Work) -> None:
        """Write messages to everyone the incident is routed to."""
        receivers = receivers_of(work.connection, [action.incident_id])[action.incident_id]
        rule = work.remediation.rule(action.rule)
        if event is Event.ESCALATED and rule is not None:
            receivers = list(dict.fromkeys([*receivers, *rule.escalate_to]))
        tell([Occurrence(action.incident_id, event, receivers=tuple(receivers))], work)

    def ended(self, action: Action, state: State, work: Work) -> None:
        """Count the final state."""
        count = partial(self._telemetry.ended, action.rule, action.action, str(state))
        after_commit(work.connection, count)

    def recovered(self, action: Action, work: Work) -> None:
        """Record how long it took from the alert's start to the verified fix."""
        seconds = (work.now - action.alert_started_at).total_seconds()
        count = partial(self._telemetry.recovered, action.rule, action.action, seconds=seconds)
        after_commit(work.connection, count)
