"""Every button of the console: how it is pressed on a live stack, and what shows that it worked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
from playwright.sync_api import Page, expect

from tests.stack.conftest import PROJECT, RunningStack
from tests.waiting import wait_until

WHO = "Drill"


@dataclass
class Press:
    """A page open on a live console, at an address that has the button.

    Attributes:
        incident: id of an open incident that waits for a word on an action.
        rule: the name of a rule.
    """

    page: Page
    demo: RunningStack
    console: str
    address: str
    incident: str = ""
    rule: str = ""

    def ask(self, part: str, path: str) -> Any:
        """Return what a service answers."""
        return requests.get(self.demo.url(part) + path, timeout=20).json()

    def open(self) -> None:
        """Open the address, again where a source was too slow for it on a busy machine."""

        def is_shown() -> bool:
            answer = self.page.goto(self.console + self.address)
            return answer is not None and answer.ok

        wait_until(is_shown, what=f"{self.address} answered")

    def send(self, form: str, button: str, **fields: str) -> None:
        """Fill the form that holds the button, in somebody's name, and press it."""
        self.open()
        place = self.page.locator(form).first
        for closed in place.locator("xpath=ancestor::details[not(@open)]").all():
            closed.locator("summary").first.click()
        if place.locator("[name=by]").count():
            place.locator("[name=by]").fill(WHO)
        for name, value in fields.items():
            place.locator(f"[name={name}]").fill(value)
        with self.page.expect_navigation():
            place.locator(button).first.click()

    def story(self) -> list[str]:
        """Return what happened in the incident so far."""
        found = self.ask("alerting", f"/api/v1/incidents/{self.incident}")
        return [moment["kind"] for moment in found["timeline"]]


def deed(name: str, kind: str, **fields: str) -> Callable[[Press], None]:
    """Return how a deed of an incident is done, which the story tells as ``kind``."""

    def press(at: Press) -> None:
        at.address = f"/incidents/{at.incident}"
        before = at.story().count(kind)
        at.send(f"form[action$='/{name}']", "button", **fields)
        wait_until(lambda: at.story().count(kind) > before, what=f"{kind} in the story")

    return press


def approve(at: Press) -> None:
    at.send("form:has(button[formaction$='/approve'])", "button[formaction$='/approve']")
    incident = at.page.url.rsplit("/", 1)[1]
    at.incident = incident
    wait_until(lambda: "action-dispatched" in at.story(), what="the approved action sent")


def decline(at: Press) -> None:
    keys = {one["idempotency_key"] for one in _proposed(at)}
    at.send("form:has(button[formaction$='/decline'])", "button[formaction$='/decline']")
    assert len({one["idempotency_key"] for one in _proposed(at)} & keys) == len(keys) - 1


def _proposed(at: Press) -> list[dict[str, Any]]:
    return [
        one
        for one in at.ask("alerting", "/api/v1/actions")["actions"]
        if one["state"] == "proposed"
    ]


def switch_rule(at: Press) -> None:
    at.address = f"/rules/{at.rule}/mode"
    at.open()
    at.page.locator("input[name=mode][value=observe]").check()
    _send_open(at, "a drill", "main form button[type=submit]")
    rules = at.ask("alerting", "/api/v1/rules")["rules"]
    assert [one["mode"] for one in rules if one["name"] == at.rule] == ["observe"]


def _send_open(at: Press, reason: str, button: str) -> None:
    at.page.locator("main form [name=by]").fill(WHO)
    at.page.locator("main form [name=reason]").fill(reason)
    with at.page.expect_navigation():
        at.page.locator(button).click()


def pause_and_resume(at: Press) -> None:
    for word, paused in (("Pause everything", True), ("Resume", False)):
        at.open()
        _send_open(at, "a drill", f"main button:text-is('{word}')")
        assert at.ask("alerting", "/api/v1/status")["paused"] is paused


def say_of_series(at: Press) -> None:
    before = len(_words(at))
    at.open()
    at.page.locator("summary", has_text="Say something of it").click()
    form = at.page.locator("form:has([name=kind])")
    form.locator("input[value=maintenance]").check()
    form.locator("[name=by]").fill(WHO)
    form.locator("[name=reason]").fill("a drill")
    with at.page.expect_navigation():
        form.locator("button").click()
    assert len(_words(at)) == before + 1


def take_back(at: Press) -> None:
    before = [one for one in _words(at) if one["holds"]]
    at.send("form:has(button[name=undo])", "button[name=undo]")
    assert len([one for one in _words(at) if one["holds"]]) == len(before) - 1


def _words(at: Press) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = at.ask("anomaly", "/api/v1/feedback")["feedback"]
    return found


def replay_one(at: Press) -> None:
    before = _dead(at)
    at.send("form[action='/deliveries/replay']", "button[name=delivery]")
    expect(at.page.locator(".sent-again")).to_contain_text("1 message is being sent again")
    wait_until(lambda: _dead(at) == before - 1, what="one dead letter fewer")


def replay_all(at: Press) -> None:
    at.send("form[action='/deliveries/replay']", "button.main")
    expect(at.page.locator(".sent-again")).to_contain_text("being sent again")
    wait_until(lambda: _dead(at) == 0, what="no dead letter left")


def _dead(at: Press) -> int:
    found = at.ask("alerting", "/api/v1/deliveries?limit=500")["deliveries"]
    return sum(one["state"] == "dead" for one in found)


def rehearse(at: Press) -> None:
    rules = PROJECT / "examples" / "taskboard" / "config" / "remediation.yml"
    at.send("form[action='/rules/rehearsal']", "button.main", rules=rules.read_text())
    answer = at.page.locator("section[aria-labelledby=answer-title]")
    expect(answer).to_contain_text("How often")
    expect(answer.locator(".trouble")).to_have_count(0)


def explore(at: Press) -> None:
    at.open()
    at.page.locator("[name=query]").fill("up")
    with at.page.expect_navigation():
        at.page.locator("main form button.main").click()
    expect(at.page.locator(".chart canvas").first).to_be_visible(timeout=60_000)


def show_board(at: Press) -> None:
    """Without scripts the button sends the choices; with them each is sent as it is made."""
    context = at.page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    page = context.new_page()
    page.goto(at.console + at.address)
    page.locator("select[name=range]").select_option("6h")
    page.locator("form.controls button").click()
    expect(page).to_have_url(re.compile(r"range=6h"))
    context.close()


BUTTONS: dict[str, Callable[[Press], None]] = {
    "POST /incidents/ID/acknowledge": deed("acknowledge", "acknowledged"),
    "POST /incidents/ID/owner": deed("owner", "owned", text="Somebody"),
    "POST /incidents/ID/notes": deed("notes", "noted", text="A drill"),
    "POST /incidents/ID/silence": deed("silence", "silenced"),
    "POST /incidents/ID/not-a-problem": deed("not-a-problem", "not-a-problem"),
    "POST /incidents/ID/actions/KEY/decline": decline,
    "POST /incidents/ID/actions/KEY/approve": approve,
    "POST /rules/NAME/mode": switch_rule,
    "POST /rules/rehearsal": rehearse,
    "POST /actions-switch": pause_and_resume,
    "POST /series/ID undo": take_back,
    "POST /series/ID": say_of_series,
    "POST /deliveries/replay delivery": replay_one,
    "POST /deliveries/replay": replay_all,
    "GET /explore": explore,
    "GET /dashboards/UID": show_board,
}
"""In the order they are pressed: what waits is answered before rules are switched."""
