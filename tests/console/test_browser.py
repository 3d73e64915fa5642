"""The console in a real browser: it draws, it stays up to date, and nothing foreign runs."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.console.conftest import NOW
from tests.console.incident_data import alert, at, incident, moment, resolved, series, with_points
from tests.console.neighbours import success

pytestmark = pytest.mark.live

XSS = (
    "<script>window.ran = 'script'</script>",
    "<img src=x onerror=\"window.ran = 'img'\">",
    '"><svg onload="window.ran = \'svg\'">',
    "' onmouseover='window.ran = 1' autofocus onfocus='window.ran = 2'",
    "javascript:window.ran='link'",
    "{{ 7 * 7 }}${7*7}",
    "</title><iframe srcdoc=\"<script>parent.ran = 'frame'</script>\">",
    "\u202e\u0000</time><a href=javascript:window.ran=3 hx-get=/ hx-on:load='window.ran=4'>",
)


@pytest.fixture
def page(browser):
    """A page that keeps what went wrong and where it asked."""
    context = browser.new_context(timezone_id="Asia/Tokyo", locale="en-GB")
    page = context.new_page()
    page.complaints, page.hosts = [], set()
    page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.hosts.add(urlsplit(request.url).hostname))
    yield page
    context.close()


def serve(neighbourhood, incidents=(), watched=()):
    neighbourhood.incidents += incidents
    neighbourhood.series += watched
    for one in incidents:
        neighbourhood.alerting.answers[f"/api/v1/incidents/{one['id']}"] = one
    for one in watched:
        neighbourhood.anomaly.answers[f"/api/v1/series/{one['id']}"] = with_points(one)


def test_the_first_page_draws_the_unusual_series_and_asks_nobody_else(page, neighbourhood, address):
    serve(neighbourhood, [incident(), resolved()], [series()])
    page.goto(address)
    expect(page.locator("h1")).to_have_text("1 critical incident open")
    expect(page.locator("#series-s1 canvas")).to_be_visible()
    assert page.complaints == []
    assert page.hosts == {"127.0.0.1"}


def test_a_dashboard_draws_its_panels_and_follows_a_choice(page, neighbourhood, address):
    start = NOW.timestamp() // 15 * 15 - 600
    points = [(start + 15 * n, 0.1 + n % 3) for n in range(30)]
    neighbourhood.prometheus.ranges = [({"service": "taskboard"}, points)]
    for label in ("environment", "service", "instance"):
        neighbourhood.prometheus.answers[f"/api/v1/label/{label}/values"] = success(["taskboard"])
    page.goto(f"{address}/dashboards/watchkeeper-system")
    expect(page.locator(".chart canvas")).to_have_count(page.locator(".chart").count())
    expect(page.locator(".stat .figure").first).to_have_text("no data")
    page.locator("select[name=service]").select_option("taskboard")
    expect(page).to_have_url(re.compile(r"service=taskboard"))
    expect(page.locator(".chart canvas").first).to_be_visible()
    assert page.complaints == []


def test_a_row_that_is_opened_draws_its_charts_then(page, neighbourhood, address):
    start = NOW.timestamp() // 15 * 15 - 600
    neighbourhood.prometheus.ranges = [({}, [(start, 1.0), (start + 15, 2.0)])]
    page.goto(f"{address}/dashboards/watchkeeper-anomalies")
    closed = page.locator("details.row", has_text="The service itself")
    expect(closed.locator("canvas")).to_have_count(0)
    closed.locator("summary").first.click()
    expect(closed.locator("canvas").first).to_be_visible()


def test_the_page_brings_itself_up_to_date(page, neighbourhood, address):
    page.goto(address)
    expect(page.get_by_text("Open incidents")).to_have_count(0)
    serve(neighbourhood, [incident()])
    expect(page.locator("h1")).to_have_text("1 critical incident open", timeout=20_000)


def test_a_console_that_stops_answering_is_said_on_the_page(page, neighbourhood, address):
    page.route("**/events", lambda route: route.abort())
    page.goto(address)
    expect(page.locator("#connection")).to_be_visible(timeout=20_000)
    page.unroute("**/events")
    expect(page.locator("#connection")).to_be_hidden(timeout=20_000)


def test_a_page_that_may_not_listen_asks_by_itself(page, neighbourhood, address):
    page.route("**/events", lambda route: route.fulfill(status=503))
    page.goto(address)
    expect(page.get_by_text("Open incidents")).to_have_count(0)
    serve(neighbourhood, [incident()])
    expect(page.locator("h1")).to_have_text("1 critical incident open", timeout=20_000)


def test_times_are_the_viewers_with_utc_in_the_title(page, neighbourhood, address):
    serve(neighbourhood, [incident(timeline=[moment(0, "detected")])])
    page.goto(f"{address}/incidents/i-1")
    time = page.locator(".timeline time").first
    expect(time).to_have_attribute("title", "2026-03-04 05:06:07 UTC")
    expect(time).to_have_text("4 Mar, 14:06")


def slow_route():
    """Return what the detector finds, and no rule mends."""
    labels = {"alertname": "Anomaly", "query": "response time", **series()["labels"]}
    slow = incident(
        title="Median response time is unusual",
        alerts=[alert("Anomaly", labels=labels)],
        timeline=[moment(-240, "detected"), moment(-200, "acknowledged", "Ana looks at it")],
    )
    return slow, "http_route=/tasks/<id>", "Ana looks at it"


def failing_search():
    """Return what a rule of Prometheus finds, and remediation mends."""
    labels = {"alertname": "HighErrorRate", "service": "taskboard", "http_route": "/search"}
    failing = incident(
        title="Search answers with errors",
        alerts=[alert("HighErrorRate", labels=labels)],
        timeline=[moment(-240, "detected"), moment(-90, "verified", "clear-cache taskboard")],
    )
    return failing, "/search", "clear-cache taskboard"


@pytest.mark.parametrize("fault", [slow_route, failing_search])
def test_two_clicks_from_the_first_page_tell_what_since_when_which_series_and_what_was_done(
    page, neighbourhood, address, fault
):
    found, culprit, done = fault()
    serve(neighbourhood, [found, resolved()], [series()])
    neighbourhood.prometheus.rules = [{"name": "HighErrorRate", "query": "errors > 0.05"}]
    points = [(NOW.timestamp() - 600 + 15 * n, 0.2) for n in range(40)]
    neighbourhood.prometheus.ranges = [({"http_route": "/search"}, points)]
    page.goto(address)
    expect(page.locator(".verdict")).to_contain_text(found["title"])
    page.get_by_role("link", name=found["title"]).first.click()
    expect(page.locator("h1")).to_have_text(found["title"])
    expect(page.locator(".verdict time").first).to_have_attribute(
        "title", "2026-03-04 05:02:07 UTC"
    )
    expect(page.locator(".evidence canvas")).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text(done)
    further = page.get_by_role("link", name="More of this series")
    if further.count():
        further.click()
    expect(page.locator("main")).to_contain_text(culprit)
    expect(page.locator(".chart canvas")).to_be_visible()
    assert page.complaints == []


def hostile(n, evil):
    labels = {"alertname": evil, "evil": evil, "service": evil, "query": evil}
    annotations = {"summary": evil, "description": f"{evil} ", "runbook_url": evil}
    return alert(evil, fingerprint=f"f{n}", labels=labels, annotations=annotations)


def test_nothing_runs_whatever_stands_in_labels_annotations_and_names(page, neighbourhood, address):
    alerts = [hostile(n, evil) for n, evil in enumerate(XSS)]
    stories = [moment(0, evil, evil, {"evil": evil}) for evil in XSS]
    incidents = [
        incident(
            f"i{n}", title=evil, service=evil, severity=evil,
            alerts=alerts[n:] + alerts[:n], timeline=stories, acknowledged_by=evil, owner=evil,
            similar=[
                {"id": evil, "title": evil, "started_at": at(0), "fixed_by": [evil],
                 "notes": [evil]},
            ],
        )
        for n, evil in enumerate(XSS)
    ]  # fmt: skip
    watched = [
        series(f"s{n}", query=evil, labels={"evil": evil}, detector=evil)
        for n, evil in enumerate(XSS)
    ]
    serve(neighbourhood, incidents, watched)
    neighbourhood.prometheus.vectors["up"] = [
        ({"job": evil, "instance": evil, "service": evil}, 0) for evil in XSS
    ]
    neighbourhood.prometheus.rules = [
        {"name": evil, "query": evil, "labels": {"severity": evil}, "lastError": evil}
        for evil in XSS
    ]
    neighbourhood.alerting.answers["/api/v1/deliveries"] = {
        "deliveries": [
            {"id": evil, "receiver": evil, "state": evil, "error": evil, "created_at": at(0)}
            for evil in XSS
        ]
    }
    neighbourhood.alerting.answers["/api/v1/actions"] = {
        "actions": [{"action": evil, "state": evil, "summary": evil} for evil in XSS]
    }
    neighbourhood.alerting.answers["/api/v1/rules"] = {
        "rules": [
            {"name": evil, "mode": evil, "match": [evil], "action": evil, "switched_by": evil}
            for evil in XSS
        ]
    }
    neighbourhood.anomaly.answers["/api/v1/configuration"] = {
        "files": [{"file": evil, "problem": evil, "settings": {evil: evil}} for evil in XSS]
    }
    start = NOW.timestamp() // 15 * 15 - 600
    neighbourhood.prometheus.ranges = [
        (
            {"job": evil, "instance": evil, "le": evil, "alertname": evil},
            [(start, 1), (start + 15, 0)],
        )
        for evil in XSS
    ]
    incident_pages = ("/incidents/i0", f"/incidents/i{len(XSS) // 2}")
    further = ("/explore?query=up", "/report", "/settings", "/dashboards/watchkeeper-http")
    for path in ("/", *incident_pages, "/series/s0", "/rules", "/deliveries", *further):
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.ran") is None, path
        assert page.locator("a[href^='javascript:' i]").count() == 0
        assert page.locator("iframe").count() == 0
        assert not [said for said in page.complaints if "Content Security Policy" in said]
    assert page.hosts == {"127.0.0.1"}


def test_the_page_fits_a_phone_without_scrolling_sideways(browser, neighbourhood, address):
    serve(neighbourhood, [incident(title="word" * 40), resolved()], [series()])
    page = browser.new_page(viewport={"width": 360, "height": 740})
    neighbourhood.prometheus.rules = [{"name": "word" * 40, "query": "word" * 40}]
    points = [(NOW.timestamp() // 300 * 300 - 300 * at, 1 + at % 3) for at in range(20, 0, -1)]
    neighbourhood.prometheus.ranges = [({"service": "word" * 40, "job": "word" * 40}, points)]
    pages = ("/", "/incidents/i-1", "/series/s1", "/rules", "/dashboards/watchkeeper-tasks")
    for path in (*pages, "/explore?query=up", "/report", "/deliveries", "/agents", "/settings"):
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    page.close()
