"""What is measured of the console is the whole console."""

from benchmarks.console import PAGES

PARTS_OF_PAGES = {
    "boards.panel", "events.events", "incident.fragment", "login.page", "rules.question",
}  # fmt: skip
"""Fragments and forms that a page loads or leads to, and the stream that stays open."""


def test_every_page_is_asked_by_the_benchmark(neighbourhood):
    app = neighbourhood.service.app
    addresses = app.url_map.bind("console")
    asked = {addresses.match(path.partition("?")[0])[0] for path in PAGES.values()}
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods
        and rule.endpoint.partition(".")[2]
        and not rule.rule.startswith("/api/")
    }
    assert asked <= pages
    assert pages - asked == PARTS_OF_PAGES
