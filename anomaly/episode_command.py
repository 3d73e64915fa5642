"""``watchkeeper episode``: what was anomalous, and a person's word on it."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from watchkeeper.operate import data_dir_option, peer_of

_by = click.option("--by", default=getpass.getuser, help="Who says so; your login by default.")
_reason = click.option("--reason", required=True, help="Why; kept with what is said.")


@click.group()
def episode() -> None:
    """List anomalies and say what they mean."""


@episode.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those that go on.")
@click.option("--query", help="Only those of this query.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500))
@click.option("--json", "as_json", is_flag=True, help="As JSON, whole.")
@data_dir_option
def list_episodes(
    *, only_open: bool, query: str | None, limit: int, as_json: bool, data_dir: Path
) -> None:
    """List episodes, newest first."""
    parameters = {"limit": str(limit), "open": str(only_open).lower()}
    if query:
        parameters["query"] = query
    shown = peer_of("anomaly", data_dir).get("/api/v1/episodes", **parameters)["episodes"]
    if as_json:
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        Console().print(_table(shown) if shown else "no episodes")


def _table(episodes: list[dict[str, Any]]) -> Table:
    # An id that is cut cannot be copied into `episode accept`.
    whole = Column("id", no_wrap=True, min_width=max(len(one["id"]) for one in episodes))
    table = Table(whole, "query", "since", "ending", "series", box=None)
    for one in episodes:
        labels = ", ".join(f"{name}={value}" for name, value in one["labels"].items())
        ending = one["ending"] or "goes on"
        table.add_row(one["id"], one["query"], one["started_at"], ending, Text(labels))
    return table


@episode.command("accept")
@click.argument("episode_id")
@_reason
@_by
@data_dir_option
def accept(episode_id: str, reason: str, by: str, data_dir: Path) -> None:
    """Call the level since an episode began the new normal; what was before teaches no more."""
    _say("accept", episode_id, reason=reason, by=by, data_dir=data_dir)


@episode.command("not-a-problem")
@click.argument("episode_id")
@_reason
@_by
@data_dir_option
def not_a_problem(episode_id: str, reason: str, by: str, data_dir: Path) -> None:
    """End an episode; nothing that goes less than a quarter further alerts again."""
    _say("not-a-problem", episode_id, reason=reason, by=by, data_dir=data_dir)


@episode.command("undo")
@click.argument("word_id")
@_by
@data_dir_option
def undo(word_id: str, by: str, data_dir: Path) -> None:
    """Take back what was said, by the id that saying it gave."""
    peer_of("anomaly", data_dir).post(f"/api/v1/feedback/{word_id}/undo", {"by": by})
    click.echo("taken back, at the next evaluation")


def _say(kind: str, episode_id: str, *, reason: str, by: str, data_dir: Path) -> None:
    body = {"kind": kind, "episode": episode_id, "reason": reason, "by": by}
    word = peer_of("anomaly", data_dir).post("/api/v1/feedback", body)
    click.echo(f"said, at the next evaluation; watchkeeper episode undo {word['id']} takes it back")
