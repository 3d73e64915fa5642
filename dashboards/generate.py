"""``python -m dashboards.generate [--check]``: write, or compare, what is made from the boards.

That is ``grafana/dashboards``, and the recording rules of the objectives.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dashboards import recording
from dashboards.boards import every_board
from dashboards.grafana import render

TARGET = Path(__file__).parent.parent / "grafana" / "dashboards"


def wanted() -> dict[str, str]:
    """Return the file name and text of every dashboard."""
    return {f"{board.uid}.json": render(board) for board in every_board()}


def differences(directory: Path) -> list[str]:
    """Return the names of files in ``directory`` that are missing, changed or left over."""
    files = wanted()
    found = {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*.json")}
    return sorted(
        name for name in files.keys() | found.keys() if files.get(name) != found.get(name)
    )


def write(directory: Path) -> None:
    """Make ``directory`` hold every dashboard and no other JSON file."""
    directory.mkdir(parents=True, exist_ok=True)
    files = wanted()
    for leftover in set(directory.glob("*.json")) - {directory / name for name in files}:
        leftover.unlink()
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 naming files that differ.")
def main(*, check: bool) -> None:
    """Write Grafana's dashboards and the objectives' rules from what is described here."""
    if not check:
        write(TARGET)
        recording.TARGET.write_text(recording.text(), encoding="utf-8")
        return
    changed = [f"grafana/dashboards/{name}" for name in differences(TARGET)]
    if recording.TARGET.read_text(encoding="utf-8") != recording.text():
        changed.append("prometheus/rules/recording/objectives.yml")
    for name in changed:
        click.echo(f"{name} differs; run: python -m dashboards.generate", err=True)
    sys.exit(1 if changed else 0)


if __name__ == "__main__":
    main()
