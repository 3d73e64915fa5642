"""Every rule: alerts, anomaly queries and remediation, and the switch of how far one may go."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for

from dashboards.console import firings, person, rules, work
from dashboards.console.reading import take
from dashboards.console.room import Room
from dashboards.console.rules import RemediationRule
from watchkeeper.roles import Role
from watchkeeper.serving import TurnedAway

REASON_LETTERS = 500


def blueprint(room: Room) -> Blueprint:
    """Return the routes of the list, and of one remediation rule with its switch."""
    pages = Blueprint("rules", __name__)
    sources = room.sources

    @pages.get("/rules")
    def listed() -> str:
        now = room.clock.now()
        return render_template(
            "rules.html",
            rules=take(lambda: rules.by_urgency(sources.prometheus), now=now),
            firings=take(lambda: firings.of_rules(sources.prometheus, now=now), now=now),
            found=take(lambda: firings.of_queries(sources.prometheus, now=now), now=now),
            queries=room.watch.readings()["queries"],
            remediation=take(lambda: rules.remediation_rules(sources.alerting), now=now),
            actions=take(lambda: work.actions(sources.alerting), now=now),
            modes=rules.MODES,
            at=now,
        )

    @pages.get("/rules/<name>/mode")
    def question(name: str) -> str:
        return _ask(room, name)

    @pages.post("/rules/<name>/mode")
    def switch(name: str) -> TurnedAway | tuple[str, int]:
        mode, by = request.form.get("mode", ""), person.said()
        reason = request.form.get("reason", "").strip()[:REASON_LETTERS]
        if mode not in rules.MODES or not by or not reason:
            wrong = "Choose a mode and say who you are and why: the audit trail keeps it."
            return _ask(room, name, wrong=wrong), 400
        rules.switch_mode(sources.alerting, name, mode, by=by, reason=reason)
        answer = redirect(url_for("rules.listed"), 303)
        person.remember(answer)
        return answer

    return pages


def _ask(room: Room, name: str, *, wrong: str | None = None) -> str:
    rule = _named(name, rules.remediation_rules(room.sources.alerting))
    may = person.may(Role.ADMIN)
    return render_template("rule_mode.html", rule=rule, wrong=wrong, may=may, modes=rules.MODES)


def _named(name: str, found: list[RemediationRule]) -> RemediationRule:
    rule = next((one for one in found if one.name == name), None)
    if rule is None:
        abort(404, f"there is no remediation rule {name}")
    return rule
