"""``python -m tests.console.screenshots --to DIR``: pictures of every page of a running console.

Light, dark and phone. Start the demo and inject a fault first, so that there is something to see.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
from playwright.sync_api import Browser, sync_playwright

from dashboards.boards import BOARDS
from tests.console.conftest import QUIET_FLAGS
from watchkeeper import addresses

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
    **{uid.removeprefix("watchkeeper-"): f"/dashboards/{uid}" for uid in BOARDS},
}

FIRST_LINKS = {"incident": ".incident h3 a", "series": ".charts:not(.small) h3 a"}
"""Pages reached from the first one, by the link that leads there; left out when there is none."""

SETTLE_MILLISECONDS = 2500
"""Charts are drawn after the page is there."""


@click.command()
@click.option("--console", default=lambda: addresses.url_of("console"), help="Its base URL.")
@click.option("--to", type=click.Path(path_type=Path), default=Path("var/screenshots"))
def main(*, console: str, to: Path) -> None:
    """Write one picture a page and look."""
    chromium = shutil.which("chromium")
    if chromium is None:
        click.echo("Chromium is not installed", err=True)
        sys.exit(2)
    to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET_FLAGS)
        for look in LOOKS:
            take(browser, console, look, to)
        browser.close()


def take(browser: Browser, console: str, look: str, to: Path) -> None:
    """Write every page in one look."""
    page = browser.new_context(**LOOKS[look]).new_page()
    for name, link in FIRST_LINKS.items():
        page.goto(console)
        if page.locator(link).count():
            page.locator(link).first.click()
            page.wait_for_timeout(SETTLE_MILLISECONDS)
            page.screenshot(path=to / f"{name}-{look}.png", full_page=True)
    for name, path in PAGES.items():
        page.goto(console + path)
        page.wait_for_timeout(SETTLE_MILLISECONDS)
        page.screenshot(path=to / f"{name}-{look}.png", full_page=True)
        click.echo(f"{to}/{name}-{look}.png")


if __name__ == "__main__":
    main()
