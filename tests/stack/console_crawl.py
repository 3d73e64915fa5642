"""Every page of a running console, found by following its links, and every button on them."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.waiting import wait_until

PATTERNS = (
    (re.compile(r"^/incidents/[^/]+"), "/incidents/ID"),
    (re.compile(r"/actions/[^/]+/"), "/actions/KEY/"),
    (re.compile(r"^/series/.+"), "/series/ID"),
    (re.compile(r"^/rules/[^/]+/mode"), "/rules/NAME/mode"),
    (re.compile(r"^/runbooks/[^/]+"), "/runbooks/NAME"),
)
"""Pages that are alike: one of each is visited. Boards are not alike, all of them are."""

LINKS = "all => all.map(one => one.getAttribute('href'))"

BUTTONS = """
all => all.map(one => {
  const form = one.form;
  const path = one.getAttribute('formaction') || (form && form.getAttribute('action')) || '';
  return [form ? form.method.toUpperCase() : '', path || location.pathname, one.name];
})
"""
"""Of each button: how and where it sends, and what it is called among its form's."""


def pattern_of(path: str) -> str:
    """Return the path with what differs between alike pages left out."""
    for expression, instead in PATTERNS:
        path = expression.sub(instead, path)
    return re.sub(r"^/dashboards/.+", "/dashboards/UID", path)


@dataclass
class Tour:
    """What a crawl found.

    Attributes:
        pages: a visited address by page.
        buttons: each with an address it stands on; ``METHOD /where`` and its name, if any.
        complaints: errors of the browser's console and of scripts, with their page.
        troubles: what pages say that they could not ask or read.
        hosts: machines that were asked for anything.
    """

    pages: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    troubles: dict[str, list[str]] = field(default_factory=dict)
    hosts: set[str | None] = field(default_factory=set)


SLOW_SOURCE = re.compile(r"(status of|Status Error Code) 50[234]")
"""What the browser says of a source that was too slow for once, as on a busy machine; the page says
so too, and is visited again for that."""


def watch(page: Page, tour: Tour) -> None:
    """Note from now on what goes wrong on the page, and where it asks."""

    def complain(text: str) -> None:
        if not SLOW_SOURCE.search(text):
            tour.complaints.append(f"{page.url}: {text}")

    page.on("console", lambda said: complain(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complain(str(error)))
    page.on("request", lambda request: tour.hosts.add(urlsplit(request.url).hostname))


def crawl(page: Page, console: str, seeds: list[str], tour: Tour) -> None:
    """Visit one page of each kind that links lead to, from the seeds on."""
    ahead = list(seeds)
    while ahead:
        address = ahead.pop(0)
        kind = _kind_of(address)
        if kind in tour.pages:
            continue
        tour.pages[kind] = address
        if troubles := _troubles_of(page, console + address):
            tour.troubles[address] = troubles
        for button in buttons_of(page):
            tour.buttons.setdefault(button, address)
        links = page.locator("a[href]").evaluate_all(LINKS)
        ahead += [link.partition("#")[0] for link in links if link.startswith("/")]


def _troubles_of(page: Page, address: str) -> list[str]:
    """Open a page and return what it cannot ask; a source may be slow for a while."""

    def found() -> list[str]:
        answer = page.goto(address)
        if answer is None or not answer.ok:
            return [f"not answered: {answer and answer.status}"]
        # What a page asks for while it loads may hold links and buttons too.
        expect(page.locator("[hx-trigger^=load] > .waiting")).to_have_count(0, timeout=90_000)
        return page.locator("main .trouble").all_inner_texts()

    with suppress(AssertionError):
        wait_until(lambda: not found(), timeout_seconds=60, what=f"{address} without trouble")
        return []
    return found()


def buttons_of(page: Page) -> set[str]:
    """Return the buttons of the page that is open, as ``METHOD /where`` and its name, if any."""
    found = page.locator("button, input[type=submit]").evaluate_all(BUTTONS)
    return {f"{method} {pattern_of(path)} {name}".strip() for method, path, name in found}


def _kind_of(address: str) -> str:
    """Return what alike addresses share; each board is a page of its own."""
    path = address.partition("?")[0]
    return path if path.startswith("/dashboards/") else pattern_of(path)
