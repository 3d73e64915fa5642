"""What was sent and done: messages to people, and actions; and sending dead letters again."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for

from dashboards.console import deeds, person, work
from dashboards.console.reading import take
from dashboards.console.room import Room
from watchkeeper.roles import Role
from watchkeeper.serving import TurnedAway


def blueprint(room: Room) -> Blueprint:
    """Return the page's routes."""
    pages = Blueprint("outgoing", __name__)
    alerting = room.sources.alerting

    def _page(*, wrong: str | None = None) -> str:
        now = room.clock.now()
        return render_template(
            "deliveries.html",
            deliveries=take(lambda: work.deliveries(alerting), now=now),
            actions=take(lambda: work.actions(alerting), now=now),
            may_replay=person.may(Role.OPERATOR),
            wrong=wrong,
            replayed=request.args.get("replayed", type=int),
            at=now,
        )

    @pages.get("/deliveries")
    def page() -> str:
        return _page()

    @pages.post("/deliveries/replay")
    def replay() -> TurnedAway | tuple[str, int]:
        by = person.said()
        if not by:
            return _page(wrong=deeds.WHO), 400
        one = request.form.get("delivery", "")
        if one:
            work.replay(alerting, one, by=by)
        count = 1 if one else work.replay_all(alerting, by=by)
        answer = redirect(url_for("outgoing.page", replayed=count), 303)
        person.remember(answer)
        return answer

    return pages
