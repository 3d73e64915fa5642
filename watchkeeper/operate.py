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

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=addresses.data_dir,
    show_default="WATCHKEEPER_DATA_DIR, else var",
    help="Of the stack to ask, when it runs on this machine.",
)

_COLOURS = {"critical": "red", "warning": "yellow", "info": "cyan"}


def alerting_of(data_dir: Path, environment: Mapping[str, str] | None = None) -> Peer:
    """Return the alerting to ask: as ``peer_of``."""
    return peer_of("alerting", data_dir, environment)


def peer_of(part: str, data_dir: Path, environment: Mapping[str, str] | None = None) -> Peer:
    """Return the service to ask: at ``WATCHKEEPER_<PART>_URL`` when set, else the stack's own.

    Never a guess: with two stacks on a machine the kill switch must not pause the wrong one.

    Raises:
        Refused: there is neither.
    """
    environment = os.environ if environment is None else environment
    variable = f"WATCHKEEPER_{part.upper()}_URL"
    how_to_say = f"say which stack is meant with --data-dir DIR or {variable}"
    if environment.get(variable):
        return Peer(part, base_url=addresses.url_of(part, environment))
    try:
        urls = part_urls(SupervisorClient(data_dir).processes())
    except UpstreamError as error:
        raise Refused(f"{error}, and {variable} is not set; {how_to_say}") from None
    if variable not in urls:
        raise Refused(f"the stack on {data_dir} runs no {part}; {how_to_say}")
    return Peer(part, base_url=urls[variable])


@click.group()
def incident() -> None:
    """List and show incidents."""


@incident.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those not resolved yet.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="As JSON, whole.")
@data_dir_option
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
@data_dir_option
def show_incident(incident_id: str, data_dir: Path) -> None:
    """Show one incident with its timeline."""
    entry = alerting_of(data_dir).get(f"/api/v1/incidents/{incident_id}")
    console = Console(highlight=False)
    console.print(Text(entry["title"], style="bold"))
    console.print(Text(f"{entry['severity']} · {entry['service']} · {entry['status']}"))
    for step in entry["timeline"]:
        console.print(Text(f"{step['at']}  {step['kind']:<18} {step['text']}"))


_rule = click.option("--rule", help="Only the actions of this rule.")
_target = click.option("--target", help="Only the actions on this target.")


@click.command()
@click.option("--reason", required=True, help="Why; shown with every action that is refused.")
@click.option("--by", default=getpass.getuser, help="Who; your login by default.")
@click.option("--for", "duration", help="Such as 2h; else until resumed.")
@_rule
@_target
@data_dir_option
def pause(
    reason: str,
    by: str,
    duration: str | None,
    rule: str | None,
    target: str | None,
    data_dir: Path,
) -> None:
    """Stop remediation actions at once; alerts and messages go on."""
    asked = {"reason": reason, "by": by, "duration": duration, "rule": rule, "target": target}
    _tell(alerting_of(data_dir).post("/api/v1/pause", _given(asked)))


@click.command()
@click.option("--reason", default="", help="Why; kept in the audit.")
@click.option("--by", default=getpass.getuser, help="Who; your login by default.")
@_rule
@_target
@data_dir_option
def resume(reason: str, by: str, rule: str | None, target: str | None, data_dir: Path) -> None:
    """Let remediation actions run again; what else is paused is told."""
    asked = {"reason": reason, "by": by, "rule": rule, "target": target}
    _tell(alerting_of(data_dir).post("/api/v1/resume", _given(asked)))


@click.group()
def audit() -> None:
    """Prove that the record of decisions and deeds is whole."""


@audit.command("verify")
@click.option("--contains", metavar="HASH", help="The newest hash of an earlier time, kept apart.")
@data_dir_option
def verify_audit(contains: str | None, data_dir: Path) -> None:
    """Walk the chain of the audit and say whether it holds; the exit code is 1 where it does not.

    That entries were cut off its end shows only to who kept a hash from before and names it.
    """
    asked = {"contains": contains} if contains else {}
    found = alerting_of(data_dir).get("/api/v1/audit/verification", **asked)
    if not found["holds"]:
        broken = found["first_break"]
        click.echo(f"the audit does not hold from entry {broken['seq']} on: {broken['reason']}")
    elif found["contains"] is False:
        click.echo(
            f"entry {contains} is gone: the end of the audit was cut off, or retention took it"
        )
    elif found["newest"] is None:
        click.echo("the audit is empty")
    else:
        last = found["newest"]
        click.echo(f"the audit holds up to entry {last['seq']} of {last['at']}: {last['hash']}")
    if not found["holds"] or found["contains"] is False:
        raise click.exceptions.Exit(1)


def _given(asked: Mapping[str, str | None]) -> dict[str, str]:
    return {name: text for name, text in asked.items() if text is not None}


def _tell(status: Mapping[str, Any]) -> None:
    """Say what is paused now, and what runs all the same because it had begun."""
    for one in status["pauses"]:
        what = f"{one['scope']} {one['name']}".strip()
        end = f" until {one['until']}" if one["until"] else ""
        click.echo(f"{what} paused{end} by {one['by']}: {one['reason']}")
    if not status["pauses"]:
        click.echo("actions may run again")
    for action in status["in_flight"]:
        click.echo(f"already under way: {action['action']} on {action['target']}")
