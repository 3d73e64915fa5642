"""What templates may call: times, amounts, safe links and fingerprinted files."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, url_for

from dashboards.console.quantities import quantity, span
from dashboards.spec import Unit
from watchkeeper.clock import format_rfc3339

OUR_RUNBOOK = re.compile(r"docs/runbooks/([A-Za-z0-9_-]+)\.md")

STATIC = Path(__file__).parent / "static"


def utc(moment: datetime) -> str:
    """Return a moment as people write it in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def safe_link(url: object) -> str:
    """Return ``url`` if following it cannot run anything, else an empty string.

    Labels and annotations come from strangers; ``javascript:`` and ``data:`` are links too.
    """
    text = str(url or "").strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.netloc else ""


def runbook_link(url: object) -> str:
    """Return where a runbook is read: a safe link as it is, our own ``docs/runbooks`` on a page."""
    name = OUR_RUNBOOK.fullmatch(str(url or "").strip())
    return url_for("runbooks.page", name=name[1]) if name else safe_link(url)


def pretty(value: Any) -> str:
    """Return a detail as indented JSON."""
    return json.dumps(value, indent=2, sort_keys=True, default=str, ensure_ascii=False)


def asset(name: str) -> str:
    """Return the address of a static file, which changes when the file does."""
    return url_for("static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def add_to(app: Flask) -> None:
    """Make the filters and functions known to the templates."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        iso=format_rfc3339,
        utc=utc,
        span=span,
        quantity=quantity,
        safe_link=safe_link,
        runbook_link=runbook_link,
        pretty=pretty,
    )
    app.jinja_env.globals["asset"] = asset
    app.jinja_env.globals["ratio"] = Unit.RATIO
