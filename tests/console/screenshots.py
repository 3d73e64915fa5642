"""``python -m tests.console.screenshots``: pictures of every page of the console, of a live demo.

Starts the demo (or uses the one that is up), breaks two things, waits until the console tells of
them and writes every page in light, in dark and on a phone. With ``--console URL`` it only takes
pictures of what is there.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import requests
from playwright.sync_api import Browser, Page, sync_playwright

from dashboards.boards import BOARDS
from tests.console.conftest import QUIET_FLAGS
from tests.waiting import wait_until
from watchkeeper.gameday.running import demo_stack
from watchkeeper.supervisor.client import SupervisorClient, part_urls

LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1380, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1380, "height": 900}},
    "phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
}

PAGES = {
    "now": "/",
    "explore": "/explore?query=sum(rate(http_server_request_duration_seconds_count[1m]))&band=1",
    "report": "/report?last=1h",
    "settings": "/settings",
    "rules": "/rules",
    "deliveries": "/deliveries",
    "agents": "/agents",
    "switch": "/actions-switch",
    **{uid.removeprefix("watchkeeper-"): f"/dashboards/{uid}?range=15m" for uid in BOARDS},
}

FIRST_LINKS = {"incident": ".incident h3 a", "series": ".charts:not(.small) h3 a"}
"""Pages reached from the first one, by the link that leads there; left out when there is none."""

SETTLED = """
() => ![...document.querySelectorAll('.waiting')].some(
  (one) => !one.closest('details:not([open])') && ['Drawing…', 'Asking…'].includes(one.textContent))
"""
"""No panel is still being asked for; charts in closed rows are not."""

SMALL = {
    "light": ("now", "incident", "system", "http", "anomalies", "report", "rules", "explore"),
    "dark": ("now", "incident", "database"),
    "phone": ("now", "incident"),
}
"""What stands in ``docs/screenshots``."""


@click.command()
@click.option("--console", help="Only take pictures of the console at this URL.")
@click.option("--to", type=click.Path(path_type=Path), default=Path("var/screenshots"))
@click.option("--small", type=click.Path(path_type=Path), help="Also write a few small ones here.")
@click.option("--data-dir", type=click.Path(path_type=Path), default=Path("var"))
@click.option("--port-offset", type=int, default=0)
def main(
    *, console: str | None, to: Path, small: Path | None, data_dir: Path, port_offset: int
) -> None:
    """Write one picture a page and look."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        click.echo("Chromium is not installed", err=True)
        sys.exit(2)
    for directory in filter(None, (to, small)):
        directory.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET_FLAGS)
        if console:
            take_all(browser, console, to, small)
        else:
            with broken_demo(data_dir, port_offset) as url:
                take_all(browser, url, to, small)
        browser.close()


@contextmanager
def broken_demo(data_dir: Path, port_offset: int) -> Iterator[str]:
    """Yield the console of a demo in which two things went wrong; they are mended afterwards."""
    stop = threading.Event()
    with demo_stack(data_dir, port_offset=port_offset, tell=click.echo, stop=stop) as supervisor:
        urls = part_urls(supervisor.processes())
        anomaly = urls["WATCHKEEPER_ANOMALY_URL"]
        wait_until(
            lambda: query_state(anomaly, "response-time") == "ready",
            timeout_seconds=300, what="the detectors to have seen enough",
        )  # fmt: skip
        fault = urls["WATCHKEEPER_TASKBOARD_URL"] + "/faults/slow-responses"
        break_two_things(supervisor, fault)
        try:
            wait_until(
                lambda: "Anomaly" in firing(urls),
                timeout_seconds=120,
                what="the slow route's alert",
            )
            yield urls["WATCHKEEPER_CONSOLE_URL"]
        finally:
            requests.delete(fault, timeout=5)


def break_two_things(supervisor: SupervisorClient, fault: str) -> None:
    """Kill the worker, which a rule mends, and slow a route down, which none does."""
    supervisor.kill("taskboard-worker", signal="KILL", instance=1)
    requests.post(fault, timeout=5).raise_for_status()


def query_state(anomaly: str, name: str) -> str:
    """Return the state of an anomaly query."""
    found = requests.get(f"{anomaly}/api/v1/queries", timeout=5).json()["queries"]
    return next(query["state"] for query in found if query["name"] == name)


def firing(urls: dict[str, str]) -> set[str]:
    """Return the names of the alerts of every open incident."""
    address = urls["WATCHKEEPER_ALERTING_URL"] + "/api/v1/incidents?status=open"
    incidents = requests.get(address, timeout=5).json()["incidents"]
    return {alert["labels"]["alertname"] for one in incidents for alert in one["alerts"]}


def take_all(browser: Browser, console: str, to: Path, small: Path | None) -> None:
    """Write every page in every look."""
    for look, options in LOOKS.items():
        context = browser.new_context(**options)
        page = context.new_page()
        for name, link in FIRST_LINKS.items():
            page.goto(console)
            if page.locator(link).count():
                page.locator(link).first.click()
                take(page, name, look, to, small)
        for name, path in PAGES.items():
            page.goto(console + path)
            take(page, name, look, to, small)
        context.close()


def take(page: Page, name: str, look: str, to: Path, small: Path | None) -> None:
    """Write the page as it is once everything is drawn."""
    page.wait_for_function(SETTLED)
    page.screenshot(path=to / f"{name}-{look}.png", full_page=True)
    if small and name in SMALL[look]:
        page.screenshot(path=small / f"{name}-{look}.jpg", type="jpeg", quality=60)
    click.echo(f"{to}/{name}-{look}.png")


if __name__ == "__main__":
    main()
