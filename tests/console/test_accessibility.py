"""axe-core finds no barrier on any page, in light and dark, on a desk and on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.console.conftest import NOW
from tests.console.incident_data import alert, at, incident, resolved, series, with_points
from tests.console.neighbours import success

pytestmark = pytest.mark.live

LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1380, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1380, "height": 900}},
    "phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
}
PAGES = (
    "/", "/incidents/i-1", "/series/s1", "/dashboards", "/dashboards/watchkeeper-http",
    "/explore?query=up&band=1", "/report", "/rules", "/rules/restart/mode", "/rules/rehearsal",
    "/deliveries", "/agents", "/settings", "/actions-switch", "/runbooks/HighErrorRate",
    "/no-such-page",
)  # fmt: skip
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL_RULES = {"runOnly": {"type": "tag", "values": STANDARDS}}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
SERIOUS = {"serious", "critical"}


@pytest.fixture
def busy(neighbourhood):
    """A stack with something of everything to show."""
    precedent = {"id": "i-9", "title": "Before", "started_at": at(-9e4), "similarity_ratio": 0.8}
    labels = {"alertname": "Anomaly", "query": "response time", **series()["labels"]}
    whole = incident(alerts=[alert("Anomaly", labels=labels)], similar=[precedent])
    neighbourhood.incidents += [whole, incident("i-2", severity="warning"), resolved()]
    neighbourhood.series += [series(), series("s2", alerting=False, score=0.2)]
    alerting, prometheus = neighbourhood.alerting, neighbourhood.prometheus
    alerting.answers["/api/v1/incidents/i-1"] = whole
    alerting.answers["/api/v1/actions"] = {
        "actions": [
            {"idempotency_key": "k", "incident_id": "i-1", "action": "restart", "target": "web",
             "state": "proposed", "rule": "restart", "mode": "approve"},
        ]
    }  # fmt: skip
    alerting.answers["/api/v1/rules"] = {
        "rules": [{"name": "restart", "mode": "observe", "match": ["a=b"], "is_verified": True}]
    }
    alerting.answers["/api/v1/deliveries"] = {
        "deliveries": [
            {"id": "d", "receiver": "slack", "state": "dead", "error": "gone", "created_at": at(-9)}
        ]
    }
    neighbourhood.anomaly.answers["/api/v1/series/s1"] = with_points(series())
    neighbourhood.anomaly.answers["/api/v1/configuration"] = {
        "files": [{"file": "anomaly.yml", "problem": "line 3", "settings": {"a": 1}}]
    }
    start = NOW.timestamp() // 15 * 15 - 1200
    points = [(start + 15 * n, 1.0 + n % 3) for n in range(80)]
    prometheus.ranges = [({"service": "shop", "job": "web", "le": "0.5"}, points)]
    prometheus.vectors["up"] = [({"job": "web", "service": "shop", "instance": "a"}, 1)]
    prometheus.rules = [{"name": "Rule", "query": "a > 1", "state": "firing", "health": "ok"}]
    for label in ("environment", "service", "instance"):
        prometheus.answers[f"/api/v1/label/{label}/values"] = success(["shop"])
    return neighbourhood


def barriers(page, options):
    """Return what is serious on the page as it stands, by the id of the rule."""
    response = Axe().run(page, options=options).response
    assert response["passes"]
    return {
        violation["id"]: [node["html"][:120] for node in violation["nodes"]][:3]
        for violation in response["violations"]
        if violation["impact"] in SERIOUS
    }


@pytest.mark.parametrize(
    ("look", "paths", "options"),
    [
        ("light", PAGES, ALL_RULES),
        ("dark", PAGES, COLOURS),  # the rest is the same as in light
        ("phone", PAGES, ALL_RULES),
    ],
)
def test_no_page_has_a_serious_barrier(busy, browser, address, look, paths, options):
    context = browser.new_context(**LOOKS[look])
    page = context.new_page()
    page.set_default_timeout(90_000)  # a busy machine draws a page of twenty charts slowly
    found = {}
    for path in paths:
        page.goto(address + path)
        expect(page.locator("[hx-trigger^=load] > .waiting")).to_have_count(0, timeout=90_000)
        found[path] = barriers(page, options)
    context.close()
    assert found == {path: {} for path in paths}


def test_everything_is_reached_with_the_keyboard_alone(busy, browser, address):
    page = browser.new_page()
    page.goto(f"{address}/incidents/i-1")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert {"Now", "Settings", "Approve", "Decline", "Acknowledge", "Not a problem"} <= reached


def test_a_deed_is_done_with_the_keyboard_alone(busy, browser, address):
    busy.alerting.answers["/api/v1/incidents/i-1/acknowledge"] = incident()
    page = browser.new_page()
    page.goto(f"{address}/incidents/i-1")
    page.locator("summary", has_text="Acknowledge").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Ada")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert ("/api/v1/incidents/i-1/acknowledge", {"by": "Ada"}) in busy.alerting.posted
