"""What people do about an incident: each a button of its page and a call to alerting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from dashboards.console import person
from dashboards.console.incidents import Incident
from watchkeeper.peers import Peer

TEXT_LETTERS = 2000
DURATIONS = {"30 minutes": "30m", "2 hours": "2h", "8 hours": "8h", "1 day": "1d", "1 week": "7d"}
"""How long an incident can be silenced, in words and as alerting reads it."""

WHO = "Say who you are: it is kept in the story and in the audit trail."


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to do.

    Attributes:
        button: what its button says.
        meaning: what pressing it does, in a sentence.
        text: the label of its text field; empty without one.
        needs_text: whether the text may not be left out.
        is_offered: whether it makes sense for an incident.
        asks_duration: whether it asks for how long.
    """

    button: str
    meaning: str
    text: str = ""
    needs_text: bool = False
    is_offered: Callable[[Incident], bool] = lambda incident: incident.is_open
    asks_duration: bool = False


DEEDS: dict[str, Deed] = {
    "acknowledge": Deed(
        "Acknowledge",
        "Says that you are looking at it; nobody else is called.",
        is_offered=lambda incident: incident.is_open and incident.acknowledged_at is None,
    ),
    "owner": Deed(
        "Hand over",
        "Names who looks after it from now on.",
        text="To whom?",
        needs_text=True,
    ),
    "notes": Deed(
        "Add note",
        "Keeps what you found in the story; similar incidents will show it.",
        text="What did you find?",
        needs_text=True,
        is_offered=lambda _: True,
    ),
    "silence": Deed(
        "Silence",
        "Sends no message about these alerts for a while. Nothing is hidden here.",
        text="Why?",
        asks_duration=True,
    ),
    "not-a-problem": Deed(
        "Not a problem",
        "Ends it, and teaches the detectors that this was no trouble.",
        text="Why is it none?",
        is_offered=lambda incident: not incident.not_a_problem_by,
    ),
}
"""By the last part of alerting's address for it; the order is the order on the page."""


def offered(incident: Incident) -> dict[str, Deed]:
    """Return what can be done about an incident now."""
    return {name: deed for name, deed in DEEDS.items() if deed.is_offered(incident)}


def missing(deed: Deed, form: Mapping[str, str]) -> str | None:
    """Return what a form lacks, as a sentence, or None."""
    if not form.get("by", "").strip():
        return WHO
    if deed.needs_text and not form.get("text", "").strip():
        return f"{deed.text} It may not be left empty."
    if deed.asks_duration and form.get("duration") not in DURATIONS.values():
        return "Choose for how long."
    return None


def do(alerting: Peer, incident_id: str, name: str, form: Mapping[str, str]) -> None:
    """Tell alerting; raise UpstreamError with its sentence when it cannot be done."""
    deed, text = DEEDS[name], form.get("text", "").strip()[:TEXT_LETTERS]
    body = person.signature(form["by"].strip()[:100])
    if text:
        body["owner" if name == "owner" else "text"] = text
    if deed.asks_duration:
        body["duration"] = form["duration"]
    alerting.post(f"/api/v1/incidents/{quote(incident_id, safe='')}/{name}", body)


def decide(alerting: Peer, key: str, decision: str, *, by: str) -> None:
    """Approve or decline a waiting action."""
    alerting.post(f"/api/v1/actions/{quote(key, safe='')}/{decision}", person.signature(by))
