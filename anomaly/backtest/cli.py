"""``watchkeeper backtest``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from anomaly.answers import RangeClient
from anomaly.backtest import page, report
from anomaly.backtest.blocks import newest_seconds, prometheus_on
from anomaly.backtest.events import events_from
from anomaly.backtest.injection import inject
from anomaly.backtest.made_history import (
    BEGIN_SECONDS,
    LEARNED_SECONDS,
    SHORTEST_MADE_DAYS,
    made_history,
    made_series,
)
from anomaly.backtest.replay import replay
from anomaly.backtest.samples import from_csv, from_prometheus, seconds_of
from anomaly.detectors import DETECTORS
from anomaly.panel import Block
from anomaly.presets import PRESETS, queries_of
from anomaly.settings import AnomalySettings, QuerySettings
from watchkeeper import addresses
from watchkeeper.check import config_file
from watchkeeper.configuration import load
from watchkeeper.prometheus import PrometheusClient

READ_TIMEOUT_SECONDS = 120.0
CSV_WARM_UP_SHARE = 0.25
"""Of a file without ``--from``, so much is learned before anything is judged."""


class Time(click.ParamType[float]):
    """A time on the command line, in Unix seconds or RFC 3339."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return Unix seconds."""
        try:
            return seconds_of(str(value))
        except ValueError:
            self.fail(f"expected Unix seconds or RFC 3339, got {value!r}", param, ctx)


@click.command()
@click.option("--config", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--query", "names", multiple=True, help="Only this query; repeatable.")
@click.option("--preset", "presets", multiple=True, type=click.Choice(PRESETS),
              help="Judge history made for this preset, with faults; repeatable.")  # fmt: skip
@click.option("--prometheus", help="URL of the server to read from.")
@click.option("--csv", "source", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Judge this file instead: timestamp and one column a series.")  # fmt: skip
@click.option("--blocks", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Judge what this Prometheus data directory, or block, holds.")  # fmt: skip
@click.option(
    "--from", "from_seconds", type=Time(), help="First time to judge; default: --days ago."
)
@click.option("--until", "until_seconds", type=Time(), help="Last time to judge; default: now.")
@click.option("--days", default=7.0, show_default=True)
@click.option("--detector", type=click.Choice(sorted(DETECTORS)), help="Instead of the configured.")
@click.option("--labels", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="CSV of what really happened: start, end, and query or labels.")  # fmt: skip
@click.option("--inject", "faults", default=0, help="Put so many faults into each series.")
@click.option("--seed", default=1, show_default=True, help="Of the faults' chance.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--html", "html", type=click.Path(path_type=Path), help="Write a page with plots.")
def backtest(
    config: Path | None,
    names: tuple[str, ...],
    presets: tuple[str, ...],
    prometheus: str | None,
    source: Path | None,
    blocks: Path | None,
    from_seconds: float | None,
    until_seconds: float | None,
    days: float,
    detector: str | None,
    labels: Path | None,
    faults: int,
    seed: int,
    as_json: bool,
    html: Path | None,
) -> None:
    """Replay history through the detectors and say what would have alerted.

    The very code that judges live judges here, each sample before it is learned. What lies before
    --from is history, as for a service that is started then for the first time.
    """
    chosen = _queries(config, names, detector, needed=source is None)
    if presets:
        given = {
            "--prometheus": prometheus, "--csv": source, "--blocks": blocks, "--labels": labels,
            "--from": from_seconds, "--until": until_seconds, "--inject": faults,
        }  # fmt: skip
        if odd := [name for name, value in given.items() if value]:
            raise click.UsageError(f"--preset judges made history: {odd[0]} has no say in it")
        if days < SHORTEST_MADE_DAYS:
            raise click.UsageError(f"expected --days to be at least {SHORTEST_MADE_DAYS:g}")
        if not any(name in chosen for preset in presets for name in queries_of(preset)):
            raise click.UsageError(f"none of {list(presets)} is asked for by the configuration")
        _tell(_of_presets(presets, chosen, days, seed), as_json=as_json, html=html)
        return
    events = events_from(labels) if labels else []
    newest = newest_seconds(blocks) if blocks else None
    until = until_seconds or newest or datetime.now(UTC).timestamp()
    begin = from_seconds or until - days * 86_400.0
    replays = []
    for name, settings, samples, start in (
        _from_file(source, chosen, from_seconds)
        if source
        else _from_blocks(blocks, chosen, begin, until)
        if blocks
        else _from_server(prometheus, chosen, begin, until)
    ):
        if faults:
            samples, added = inject(  # noqa: PLW2901  # the samples with faults take their place
                samples, settings, query=name, from_seconds=start, a_series=faults, seed=seed
            )
            events += added
        told = progress(f"judging {name}")
        replays.append(replay(name, settings, samples, from_seconds=start, progress=told))
    _tell(report.Report(replays, events), as_json=as_json, html=html)


def _queries(
    config: Path | None, names: tuple[str, ...], detector: str | None, *, needed: bool
) -> dict[str, QuerySettings]:
    known = load(config or config_file("anomaly.yml", None), AnomalySettings).queries
    unknown = set(names) - set(known)
    if unknown:
        raise click.UsageError(f"no query {sorted(unknown)}; there are {sorted(known)}")
    if not names and not needed:
        known = {}
    chosen = {name: one for name, one in known.items() if not names or name in names}
    change = {"detector": detector, "challengers": ()} if detector else {}
    return {name: one.model_copy(update=change) for name, one in chosen.items()}


def _of_presets(
    presets: tuple[str, ...], chosen: dict[str, QuerySettings], days: float, seed: int
) -> report.Report:
    wanted = {name for preset in presets for name in queries_of(preset)}
    replays, events = [], []
    begin = BEGIN_SECONDS + LEARNED_SECONDS
    for name, like in made_series().items():
        if name in wanted and name in chosen:
            # Challengers take time and never alert.
            settings = chosen[name].model_copy(update={"challengers": ()})
            samples, faults = made_history(name, settings, like, days=days, seed=seed)
            told = progress(f"judging {name}")
            replays.append(replay(name, settings, samples, from_seconds=begin, progress=told))
            events += faults
    return report.Report(replays, events)


Source = list[tuple[str, QuerySettings, Block, float]]


def _from_blocks(
    directory: Path, chosen: dict[str, QuerySettings], begin: float, until: float
) -> Source:
    with prometheus_on(directory) as url:
        return _from_server(url, chosen, begin, until)


def _from_server(
    url: str | None, chosen: dict[str, QuerySettings], begin: float, until: float
) -> Source:
    address = url or addresses.url_of("prometheus")
    reader = RangeClient(PrometheusClient(address, timeout_seconds=READ_TIMEOUT_SECONDS))
    return [
        (
            name,
            settings,
            from_prometheus(
                reader,
                settings,
                from_seconds=begin,
                until_seconds=until,
                progress=progress(f"reading {name}"),
            ),
            begin,
        )
        for name, settings in chosen.items()
    ]


def _from_file(path: Path, chosen: dict[str, QuerySettings], from_seconds: float | None) -> Source:
    samples, step = from_csv(path)
    times = samples.times_seconds
    begin = from_seconds or times[0] + CSV_WARM_UP_SHARE * (times[-1] - times[0])
    if not chosen:
        chosen = {path.stem: QuerySettings(expression=path.name, minimum_history=step * 60)}
    found = []
    for name, settings in chosen.items():
        at_step = settings.model_copy(
            update={
                "step": step,
                "cadence": max(step, settings.cadence),
                "history": max(settings.history, settings.minimum_history, step * 60),
                "maximum_series": max(settings.maximum_series, len(samples.keys)),
            }
        )
        found.append((name, at_step, samples, begin))
    return found


def progress(what: str) -> Callable[[float], None]:
    """Return what tells on standard error how far something is, each tenth once."""
    told = -1

    def tell(ratio: float) -> None:
        nonlocal told
        tenth = int(ratio * 10)
        if tenth > told:
            told = tenth
            click.echo(f"{what}: {ratio:.0%}", err=True)

    return tell


def _tell(found: report.Report, *, as_json: bool, html: Path | None) -> None:
    if html is not None:
        html.write_text(page.page(found), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(report.document(found), indent=2))
    else:
        click.echo(report.text(found))
