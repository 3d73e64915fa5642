"""Makes ``python -m taskboard`` the command."""

from taskboard.cli import root

root(prog_name="python -m taskboard")
