"""``watchkeeper backtest --rules``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from alerting.alert import Alert
from alerting.backtest import anomalies, history, others
from alerting.backtest.comparison import changes
from alerting.backtest.rehearsal import Rehearsed, rehearse
from watchkeeper import addresses
from watchkeeper.check import config_file
from watchkeeper.clock import SystemClock, format_rfc3339
from watchkeeper.errors import UpstreamError
from watchkeeper.peers import Peer
from watchkeeper.prometheus import PrometheusClient

READ_TIMEOUT_SECONDS = 60.0

_directory = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.option(
    "--config-dir",
    type=_directory,
    help="Where the alerting.yml and remediation.yml to try lie; else the shipped ones.",
)
@click.option(
    "--compare-to",
    type=_directory,
    help="Where those in force lie: say what would have been otherwise under the others.",
)
@click.option("--prometheus", help="URL of the server to read from.")
@click.option("--anomaly", help="URL of the anomaly service to read from.")
@click.option("--alerting", help="URL of the alerting service to read other clients' alerts from.")
@click.option("--days", default=7.0, show_default=True, type=click.FloatRange(0, min_open=True))
@click.option(
    "--step",
    "step_seconds",
    default=60.0,
    show_default=True,
    type=click.FloatRange(1),
    help="How finely the past is looked at, in seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
def backtest_rules(
    config_dir: Path | None,
    compare_to: Path | None,
    prometheus: str | None,
    anomaly: str | None,
    alerting: str | None,
    days: float,
    step_seconds: float,
    as_json: bool,
) -> None:
    """Say what incidents, messages and actions the past alerts would have caused.

    Those of Prometheus' rules, of the anomaly service, and of others who sent some to alerting.
    Nothing is sent. Rules that act are rehearsed; whether they would have helped is not known.
    """
    client = PrometheusClient(
        prometheus or addresses.url_of("prometheus"), timeout_seconds=READ_TIMEOUT_SECONDS
    )
    end = SystemClock().now()
    start = end - timedelta(days=days)
    fired = history.alerts(client, start=start, end=end, step_seconds=step_seconds)
    unusual = _unusual(Peer("anomaly", base_url=anomaly), start, end)
    sent = _sent_by_others(
        Peer("alerting", base_url=alerting, timeout_seconds=READ_TIMEOUT_SECONDS),
        [*fired, *unusual], start, end, step_seconds,
    )  # fmt: skip
    past = history.in_order([*fired, *unusual, *sent], end)

    def under(directory: Path | None) -> Rehearsed:
        settings, rules = (
            config_file(name, directory) for name in ("alerting.yml", "remediation.yml")
        )
        return rehearse(past, settings, rules, client, end=end)

    found, before = under(config_dir), under(compare_to) if compare_to else None
    for name in found.unusable:
        click.echo(f"receiver {name} cannot be used here: nothing is told to it", err=True)
    read = {"prometheus": len(fired), "anomaly": len(unusual), "other clients": len(sent)}
    if as_json:
        click.echo(json.dumps(_document(found, before, read), indent=2, ensure_ascii=False))
    else:
        _show(found, before, read)


def _unusual(anomaly: Peer, start: datetime, end: datetime) -> list[Alert]:
    try:
        return anomalies.alerts(anomaly, start=start, end=end)
    except UpstreamError as error:
        click.echo(f"the anomaly service's alerts are left out: {error}", err=True)
        return []


def _sent_by_others(
    alerting: Peer, theirs: Sequence[Alert], start: datetime, end: datetime, step_seconds: float
) -> list[Alert]:
    try:
        # A range is looked at in steps, and an alert ends there a step after its last sample.
        found = others.alerts(
            alerting, theirs, start=start, end=end, tolerance_seconds=2 * step_seconds
        )
    except UpstreamError as error:
        click.echo(f"the alerts of other clients are left out: {error}", err=True)
        return []
    if found.known_since is not None:
        since = format_rfc3339(found.known_since)
        click.echo(f"the alerts of other clients before {since} are left out", err=True)
    return found.alerts


def _document(
    found: Rehearsed, before: Rehearsed | None, read: Mapping[str, int]
) -> dict[str, Any]:
    lists = {"incidents": found.incidents, "messages": found.messages, "actions": found.actions}
    document = {"alerts": dict(read), **found.counts(), "all": lists}
    if before is None:
        return document
    differing = [asdict(one) for one in changes(before.counts(), found.counts())]
    return {**document, "before": before.counts(), "changes": differing}


def _show(found: Rehearsed, before: Rehearsed | None, read: Mapping[str, int]) -> None:
    for source, count in read.items():
        click.echo(f"alerts of {source}: {count}")
    for title, counts in found.counts().items():
        click.echo(f"{title}: {sum(counts.values())}")
        for name, count in counts.items():
            click.echo(f"  {count:6d}  {name}")
    if before is None:
        return
    differing = changes(before.counts(), found.counts())
    click.echo("changed:" if differing else "changed: nothing")
    for one in differing:
        click.echo(f"{one.sign} {one.kind}: {one.name}, {one.before} before, {one.after} after")
