"""``watchkeeper token``: who may ask our services, and how much each may do."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper import addresses, tokens
from watchkeeper.clock import SystemClock
from watchkeeper.roles import Role

_file = click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=addresses.named_tokens_file,
    show_default=f"{addresses.NAMED_TOKENS_VARIABLE}, else in the data directory",
    help="Where the hashes are kept.",
)


@click.group()
def token() -> None:
    """Add, list and remove API tokens; only their hashes are kept."""


@token.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([str(role) for role in Role]), default=str(Role.VIEWER))
@_file
def add_token(name: str, role: str, path: Path) -> None:
    """Make a token for NAME and print it, this once."""
    click.echo(tokens.add(path, name, Role(role), now=SystemClock().now()))
    click.echo(f"{name} is {role}; kept as a hash in {path}", err=True)


@token.command("list")
@_file
def list_tokens(path: Path) -> None:
    """List whose tokens there are."""
    for found in tokens.read(path):
        click.echo(f"{found.name}\t{found.role}\t{found.created_at}")


@token.command("remove")
@click.argument("name")
@_file
def remove_token(name: str, path: Path) -> None:
    """Make NAME's token worthless at once."""
    tokens.remove(path, name)
    click.echo(f"the token of {name} is worth nothing any more")
