"""``watchkeeper report``."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from dashboards.report import rendering
from dashboards.report.period import Period
from dashboards.report.report import gather
from watchkeeper import addresses
from watchkeeper.clock import SystemClock, parse_rfc3339
from watchkeeper.configuration import parse_duration_seconds
from watchkeeper.peers import Peer
from watchkeeper.prometheus import PrometheusClient

TIMEOUT_SECONDS = 30.0
"""For one question: a week of a large Prometheus takes its time, and nobody waits for a page."""


def _duration(_context: click.Context, _option: click.Parameter, text: str) -> float:
    try:
        seconds = parse_duration_seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if not isinstance(seconds, float | int) or seconds <= 0:
        raise click.BadParameter("expected more than no time")
    return float(seconds)


def _moment(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime:
    if text is None:
        return SystemClock().now()
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.option("--last", default="24h", show_default=True, callback=_duration, help="How far back.")
@click.option("--until", callback=_moment, help="Its end, in RFC 3339; now by default.")
@click.option("--html", "html_file", type=click.Path(path_type=Path), help="Write one HTML file.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write it as data.")
def report(*, last: float, until: datetime, html_file: Path | None, json_file: Path | None) -> None:
    """Say what the last day was like, what fixed what, and what to do next."""
    prometheus = PrometheusClient(addresses.url_of("prometheus"), timeout_seconds=TIMEOUT_SECONDS)
    alerting = Peer("alerting", timeout_seconds=TIMEOUT_SECONDS)
    found = gather(prometheus, alerting, Period.last(last, until=until))
    if html_file:
        page = rendering.html(found, console_url=addresses.url_of("console"))
        html_file.write_text(page, encoding="utf-8")
    if json_file:
        told = json.dumps(found.as_json(), indent=2, ensure_ascii=False)
        json_file.write_text(told + "\n", encoding="utf-8")
    if not html_file and not json_file:
        click.echo(rendering.text(found))
