"""``watchkeeper backtest --rules``."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import click

from alerting.backtest.history import happenings
from alerting.backtest.rehearsal import rehearse
from watchkeeper import addresses
from watchkeeper.check import config_file
from watchkeeper.clock import SystemClock
from watchkeeper.prometheus import PrometheusClient

READ_TIMEOUT_SECONDS = 60.0


@click.command()
@click.option(
    "--config-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where the alerting.yml and remediation.yml to try lie; else the shipped ones.",
)
@click.option("--prometheus", help="URL of the server to read from.")
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
    config_dir: Path | None, prometheus: str | None, days: float, step_seconds: float, as_json: bool
) -> None:
    """Say what incidents, messages and actions the past alerts would have caused.

    Nothing is sent. Rules that act are rehearsed; whether they would have helped is not known.
    """
    client = PrometheusClient(
        prometheus or addresses.url_of("prometheus"), timeout_seconds=READ_TIMEOUT_SECONDS
    )
    end = SystemClock().now()
    start = end - timedelta(days=days)
    found = rehearse(
        happenings(client, start=start, end=end, step_seconds=step_seconds),
        config_file("alerting.yml", config_dir),
        config_file("remediation.yml", config_dir),
        client,
        end=end,
    )
    if as_json:
        click.echo(
            json.dumps(
                {
                    **found.counts(),
                    "all": {"incidents": found.incidents, "actions": found.actions},
                },
                indent=2,
                ensure_ascii=False,
            )
        )
        return
    for title, counts in found.counts().items():
        click.echo(f"{title}: {sum(counts.values())}")
        for name, count in counts.items():
            click.echo(f"  {count:6d}  {name}")
