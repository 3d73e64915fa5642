"""What an operator asks of a running stack: incidents, and the kill switch."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from watchkeeper import addresses
from watchkeeper.errors import Refused, UpstreamError
from watchkeeper.peers import Peer
from watchkeeper.supervisor.client import SupervisorClient, part_urls

_data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=addresses.data_dir,
    show_default="WATCHKEEPER_DATA_DIR, else var",
    help="Of the stack to ask, when it runs on this machine.",
)

ALERTING_VARIABLE = "WATCHKEEPER_ALERTING_URL"
HOW_TO_SAY = f"say which stack is meant with --data-dir DIR or {ALERTING_VARIABLE}"

_COLOURS = {"critical": "red", "warning": "yellow", "info": "cyan"}


def alerting_of(data_dir: Path, environment: Mapping[str, str] | None = None) -> Peer:
    """Return the alerting to ask: ``WATCHKEEPER_ALERTING_URL`` when set, else the stack's own.

    Never a guess: with two stacks on a machine the kill switch must not pause the wrong one.

    Raises:
        Refused: there is neither.
    """
    environment = os.environ if environment is None else environment
    if environment.get(ALERTING_VARIABLE):
        return Peer("alerting", base_url=addresses.url_of("alerting", environment))
    try:
        urls = part_urls(SupervisorClient(data_dir).processes())
    except UpstreamError as error:
        raise Refused(f"{error}, and {ALERTING_VARIABLE} is not set; {HOW_TO_SAY}") from None
    if ALERTING_VARIABLE not in urls:
        raise Refused(f"the stack on {data_dir} runs no alerting; {HOW_TO_SAY}")
    return Peer("alerting", base_url=urls[ALERTING_VARIABLE])


@click.group()
def incident() -> None:
    """List and show incidents."""


@incident.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those not resolved yet.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="As JSON, whole.")
@_data_dir
def list_incidents(*, only_open: bool, limit: int, as_json: bool, data_dir: Path) -> None:
    """List incidents, newest first."""
    parameters = {"limit": str(limit)} | ({"status": "open"} if only_open else {})
    found = alerting_of(data_dir).get("/api/v1/incidents", **parameters)["incidents"]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    # An id that is cut cannot be copied into `incident show`.
    whole = Column(
        "id", no_wrap=True, min_width=max(len(one["id"]) for one in [{"id": ""}, *found])
    )
    table = Table(whole, "status", "severity", "service", "since", "title", box=None)
    for entry in found:
        table.add_row(
            entry["id"],
            entry["status"],
            Text(entry["severity"], style=_COLOURS.get(entry["severity"], "")),
            Text(entry["service"]),
            entry["started_at"],
            Text(entry["title"]),
        )
    Console().print(table if found else "no incidents")


@incident.command("show")
@click.argument("incident_id")
@_data_dir
def show_incident(incident_id: str, data_dir: Path) -> None:
    """Show one incident with its timeline."""
    entry = alerting_of(data_dir).get(f"/api/v1/incidents/{incident_id}")
    console = Console(highlight=False)
    console.print(Text(entry["title"], style="bold"))
    console.print(Text(f"{entry['severity']} · {entry['service']} · {entry['status']}"))
    for step in entry["timeline"]:
        console.print(Text(f"{step['at']}  {step['kind']:<18} {step['text']}"))


@click.command()
@click.option("--reason", required=True, help="Why; shown with every action that is refused.")
@click.option("--by", default=getpass.getuser, help="Who; your login by default.")
@_data_dir
def pause(reason: str, by: str, data_dir: Path) -> None:
    """Stop all remediation actions at once; alerts and messages go on."""
    status = alerting_of(data_dir).post("/api/v1/pause", {"reason": reason, "by": by})
    click.echo(f"paused by {status['by']}: {status['reason']}")
    _tell_in_flight(status)


@click.command()
@click.option("--reason", default="", help="Why; kept in the audit.")
@click.option("--by", default=getpass.getuser, help="Who; your login by default.")
@_data_dir
def resume(reason: str, by: str, data_dir: Path) -> None:
    """Let remediation actions run again."""
    alerting_of(data_dir).post("/api/v1/resume", {"reason": reason, "by": by})
    click.echo("actions may run again")


def _tell_in_flight(status: dict[str, Any]) -> None:
    for action in status["in_flight"]:
        click.echo(f"already under way: {action['action']} on {action['target']}")
