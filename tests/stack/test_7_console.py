"""In a real browser, on the live demo: every page, and every button does what it says."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
import requests
from playwright.sync_api import expect, sync_playwright

from tests.console.conftest import QUIET_FLAGS
from tests.ports import free_port
from tests.stack.breakage import BREAKAGE, alert_of
from tests.stack.console_buttons import BUTTONS, WHO, Press
from tests.stack.console_crawl import Tour, buttons_of, crawl, watch
from tests.stack.receiver import REFUSES, TAKES
from tests.waiting import wait_until
from watchkeeper.supervisor.client import part_urls

pytestmark = pytest.mark.live

RULE = "restart-stalled-worker"
TARGETS = {"approve": "taskboard-worker", "decline": "taskboard-partner"}
"""What the two actions that wait for a word would restart."""

SLOW = "response-time"
"""The query whose detector finds a slow route."""


@pytest.fixture(scope="module")
def page():
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET_FLAGS)
        page = browser.new_page()
        page.set_default_timeout(60_000)
        yield page
        browser.close()


@pytest.fixture(scope="module")
def ask(demo):
    return lambda part, path: requests.get(demo.url(part) + path, timeout=20).json()


@pytest.fixture(scope="module")
def mended(demo, receiver, ask):
    """Return an incident that a rule has mended; tests before these have left some behind."""

    def found():
        every = ask("alerting", "/api/v1/incidents?status=resolved&limit=500")["incidents"]
        return next((one for one in every if happened(one, "verified")), None)

    if found():
        return found()
    with BREAKAGE["dead-worker"](demo, receiver):
        return wait_until(found, timeout_seconds=300, what="a dead worker mended")


@pytest.fixture(scope="module")
def slow_route(demo, receiver):
    """Slow a route down while the tests of this file run, so that none waits for its detector."""
    with BREAKAGE["slow-responses"](demo, receiver):
        yield


@pytest.fixture(scope="module")
def incidents(demo, receiver, ask, mended, slow_route):
    """Return two open incidents, each with an action that waits, and of which nobody was told.

    From here on the rule waits for a word, so what it mends by itself has to be mended before.
    """
    rule = {"mode": "approve", "by": WHO, "reason": "a drill"}
    requests.post(
        f"{demo.url('alerting')}/api/v1/rules/{RULE}/mode", json=rule, timeout=20
    ).raise_for_status()
    receiver.status = REFUSES
    labels = {"alertname": "TaskQueueStalled", "queue": "work", "severity": "warning"}
    for drill, target in TARGETS.items():
        alert_of(demo, {**labels, "service": f"drill-{drill}", "process": target})

    def waiting():
        proposed = {
            one["incident_id"]: one["target"]
            for one in ask("alerting", "/api/v1/actions")["actions"]
            if one["state"] == "proposed"
        }
        found = {
            drill: key
            for drill, target in TARGETS.items()
            for key, aim in proposed.items()
            if aim == target
        }
        return found if found.keys() == TARGETS.keys() else None

    def untold(found):
        deliveries = ask("alerting", "/api/v1/deliveries?limit=500")["deliveries"]
        dead = {one["incident_id"] for one in deliveries if one["state"] == "dead"}
        return dead >= set(found.values())

    try:
        found = wait_until(waiting, timeout_seconds=120, what="two actions that wait for a word")
        wait_until(lambda: untold(found), timeout_seconds=120, what="two dead letters")
    finally:
        receiver.status = TAKES
    return found


@pytest.fixture(scope="module")
def series(demo, ask):
    """Return the id of a watched series of which somebody has said something.

    What is said mutes it, so it is none of those that have to be found.
    """

    def watched():
        every = ask("anomaly", "/api/v1/series")["series"]
        return next((one["id"] for one in every if one["query"] != SLOW), None)

    found = wait_until(watched, timeout_seconds=300, what="a series that is watched")
    said = {"kind": "maintenance", "by": WHO, "reason": "a drill", "series": found}
    requests.post(
        demo.url("anomaly") + "/api/v1/feedback", json=said, timeout=20
    ).raise_for_status()
    return found


@pytest.fixture(scope="module")
def locked_console(demo, tmp_path_factory):
    """Yield the address of another console of the same stack, that asks for a token."""
    token = tmp_path_factory.mktemp("secrets") / "token"
    token.write_text("a-token-of-the-drill-0123456789")
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "watchkeeper", "console", "--listen", address]
    environment = {**os.environ, **part_urls(demo.processes())}
    environment |= {"WATCHKEEPER_API_TOKEN_FILE": str(token)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)

    def answers():
        assert process.poll() is None, "the console ended"
        try:
            return requests.get(f"http://{address}/healthz", timeout=10).ok
        except requests.ConnectionError:
            return False

    try:
        wait_until(answers, what="the second console")
        yield f"http://{address}", token.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="module")
def tour(page, demo, incidents, series):
    """Every page of the console, followed from the first one."""
    tour = Tour()
    watch(page, tour)
    seeds = ["/", f"/incidents/{incidents['approve']}", f"/series/{series}"]
    crawl(page, demo.url("console"), seeds, tour)
    return tour


def test_every_page_is_reached_and_none_complains_or_asks_another_machine(tour):
    assert len([kind for kind in tour.pages if kind.startswith("/dashboards/")]) == 12
    assert {"/", "/incidents/ID", "/series/ID", "/rules/rehearsal", "/runbooks/NAME"} <= set(
        tour.pages
    )
    assert (tour.complaints, tour.troubles) == ([], {})
    assert tour.hosts == {"127.0.0.1"}


def test_every_button_there_is_gets_pressed_here(tour):
    assert set(tour.buttons) == set(BUTTONS)


@pytest.mark.parametrize("button", BUTTONS)
def test_each_button_does_what_it_says(button, tour, page, demo, incidents):
    drill = "approve" if button.endswith("/approve") else "decline"
    address = tour.buttons[button]
    if button.startswith("POST /incidents/"):
        address = f"/incidents/{incidents[drill]}"
    press = Press(page, demo, demo.url("console"), address, incidents[drill], RULE)
    BUTTONS[button](press)
    assert tour.complaints == []


def happened(incident, kind):
    return [moment for moment in incident["timeline"] if moment["kind"] == kind]


def utc(moment):
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def open_from_the_first_page(page, demo, ask, incident):
    """Click once, and see what is wrong, since when, the chart that shows it, and what was done."""
    page.goto(demo.url("console") + "/")
    page.locator(f"main a[href='/incidents/{incident['id']}']").first.click()
    expect(page.locator(".evidence canvas").first).to_be_visible(timeout=90_000)

    def tells_it_as_it_is():
        known = ask("alerting", f"/api/v1/incidents/{incident['id']}")
        shown = page.locator(".verdict time").first.get_attribute("title")
        story = page.locator(".timeline").text_content()
        return (
            page.locator("h1").inner_text() == known["title"]
            and shown == utc(known["started_at"])
            and all(moment["text"] in story for moment in known["timeline"])
        )

    wait_until(tells_it_as_it_is, timeout_seconds=120, what="the page telling the whole incident")


def test_two_clicks_from_the_first_page_lead_to_the_series_of_a_slow_route(
    page, demo, ask, slow_route
):
    def noticed():
        for incident in ask("alerting", "/api/v1/incidents?status=open&limit=500")["incidents"]:
            for alert in incident["alerts"]:
                if alert["labels"].get("query") == SLOW and alert["status"] == "firing":
                    return incident, alert["labels"]["http_route"]
        return None

    incident, route = wait_until(noticed, timeout_seconds=300, what="the slow route noticed")
    word = {"by": WHO, "text": "looks at the slow route"}
    address = f"{demo.url('alerting')}/api/v1/incidents/{incident['id']}/acknowledge"
    requests.post(address, json=word, timeout=20).raise_for_status()

    open_from_the_first_page(page, demo, ask, incident)
    expect(page.locator(".timeline")).to_contain_text(word["text"])
    of_the_route = page.locator(".evidence", has_text=route)
    of_the_route.get_by_role("link", name="More of this series").first.click()
    expect(page.locator("main")).to_contain_text(route)
    expect(page.locator(".chart canvas").first).to_be_visible(timeout=90_000)


def test_one_click_tells_what_was_done_about_a_dead_worker_and_that_it_helped(
    page, demo, ask, mended
):
    open_from_the_first_page(page, demo, ask, mended)
    (moment, *_) = happened(mended, "verified")
    expect(page.locator(".timeline")).to_contain_text(moment["text"])
    expect(page.locator(".timeline")).to_contain_text("restart-service")


def test_where_a_token_is_asked_for_one_logs_in_and_out(locked_console, page):
    console, token = locked_console
    page.goto(console + "/rules")
    assert buttons_of(page) == {"POST /login"}
    page.locator("[name=token]").fill(token)
    with page.expect_navigation():
        page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(console + "/rules")
    assert buttons_of(page) == {"POST /logout"}
    with page.expect_navigation():
        page.get_by_role("button", name="Log out").click()
    page.goto(console + "/rules")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
