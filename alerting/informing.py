"""Rules whose action is a message: written into the outbox by the transaction that decides on it.

So there is nothing to call, to follow or to verify, and nothing that could be done twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from alerting import actions, tables
from alerting.action_story import Story
from alerting.actions import Action, State
from alerting.pipeline import Event, Occurrence, Work
from alerting.remediation_rules import RuleSettings
from alerting.stages.notify import tell
from alerting.stages.route import receivers_of
from alerting.timeline import Kind

EVENTS: Mapping[str, Event] = {
    "notify-team": Event.OPENED,
    "notify-dba": Event.OPENED,
    "create-incident": Event.OPENED,
    "page-on-call": Event.ESCALATED,
}
"""What the receivers of each such action hear first; they hear all that follows as well."""

_incidents = tables.incidents


def intent(action: Action, rule: RuleSettings, work: Work) -> dict[str, Any]:
    """Return the columns that record who is to be told what."""
    told = {"event": EVENTS[action.action], "receivers": list(rule.tell)}
    return {"claimed_at": work.now, "body": json.dumps(told)}


def inform(
    action: Action, rule: RuleSettings, values: Mapping[str, Any], work: Work, story: Story
) -> None:
    """Write the messages and close the action; ``values`` are the columns of its intent."""
    event = EVENTS[action.action]
    usable = [name for name in rule.tell if _is_usable(name, work)]
    heard = receivers_of(work.connection, [action.incident_id])[action.incident_id]
    # Who hears of the incident anyway is not told twice that it opened; a page is always a page.
    news = [name for name in usable if event is not Event.OPENED or name not in heard]
    taken_by = _taken_by(action.incident_id, work) if event is Event.ESCALATED else ""
    state = State.SUCCEEDED if usable else State.FAILED
    if taken_by:
        summary, news = f"{taken_by} has taken it: nobody was paged", []
    elif not usable:
        summary = f"none of its receivers can be used: {', '.join(rule.tell)}"
    else:
        summary = f"told {', '.join(news)}" if news else f"{', '.join(usable)} heard of it already"
    if not actions.settle(
        work.connection, action, state=state, summary=summary, completed_at=work.now,
        finished_at=work.now, **values,
    ):  # fmt: skip
        return
    kind = Kind.ACTION_COMPLETED if usable else Kind.ACTION_FAILED
    story.audited(action, str(state), work, summary=summary, receivers=news)
    story.told(action, kind, summary, work)
    story.ended(action, state, work)
    if news:
        _let_hear(action.incident_id, [*heard, *news], work)
        tell([Occurrence(action.incident_id, event, receivers=tuple(news))], work)
    elif not usable:
        story.tell_people(action, Event.ESCALATED, work)


def _is_usable(name: str, work: Work) -> bool:
    receiver = work.settings.receiver(name)
    return receiver is not None and receiver.is_configured


def _taken_by(incident_id: str, work: Work) -> str:
    query = sa.select(_incidents.c.acknowledged_by).where(
        _incidents.c.id == incident_id, _incidents.c.acknowledged_at.is_not(None)
    )
    return str(work.connection.execute(query).scalar() or "")


def _let_hear(incident_id: str, names: list[str], work: Work) -> None:
    work.connection.execute(
        sa.update(_incidents)
        .where(_incidents.c.id == incident_id)
        .values(receivers=list(dict.fromkeys(names)))
    )
