"""What an operator asks of a running stack: incidents, and the kill switch."""

from __future__ import annotations

import getpass
import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from watchkeeper.peers import Peer

_COLOURS = {"critical": "red", "warning": "yellow", "info": "cyan"}


@click.group()
def incident() -> None:
    """List and show incidents."""


@incident.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those not resolved yet.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="As JSON, whole.")
def list_incidents(*, only_open: bool, limit: int, as_json: bool) -> None:
    """List incidents, newest first."""
    parameters = {"limit": str(limit)} | ({"status": "open"} if only_open else {})
    found = Peer("alerting").get("/api/v1/incidents", **parameters)["incidents"]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    table = Table("id", "status", "severity", "service", "since", "title", box=None)
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
def show_incident(incident_id: str) -> None:
    """Show one incident with its timeline."""
    entry = Peer("alerting").get(f"/api/v1/incidents/{incident_id}")
    console = Console(highlight=False)
    console.print(Text(entry["title"], style="bold"))
    console.print(Text(f"{entry['severity']} · {entry['service']} · {entry['status']}"))
    for step in entry["timeline"]:
        console.print(Text(f"{step['at']}  {step['kind']:<18} {step['text']}"))


@click.command()
@click.option("--reason", required=True, help="Why; shown with every action that is refused.")
@click.option("--by", default=getpass.getuser, help="Who; your login by default.")
def pause(reason: str, by: str) -> None:
    """Stop all remediation actions at once; alerts and messages go on."""
    status = Peer("alerting").post("/api/v1/pause", {"reason": reason, "by": by})
    click.echo(f"paused by {status['by']}: {status['reason']}")
    _tell_in_flight(status)


@click.command()
@click.option("--reason", default="", help="Why; kept in the audit.")
@click.option("--by", default=getpass.getuser, help="Who; your login by default.")
def resume(reason: str, by: str) -> None:
    """Let remediation actions run again."""
    Peer("alerting").post("/api/v1/resume", {"reason": reason, "by": by})
    click.echo("actions may run again")


def _tell_in_flight(status: dict[str, Any]) -> None:
    for action in status["in_flight"]:
        click.echo(f"already under way: {action['action']} on {action['target']}")
