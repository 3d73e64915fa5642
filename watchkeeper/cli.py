"""The ``watchkeeper`` command. Rooms are known by name only and imported when called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from watchkeeper import __version__
from watchkeeper.errors import ConfigError, WatchkeeperError

COMMANDS = {
    "up": ("watchkeeper.supervisor.cli:up", "Run the whole stack on this machine."),
    "agent": ("agent.cli:agent", "Run the collectors of this host."),
    "anomaly": ("anomaly.cli:anomaly", "Learn what is normal and score what is not."),
    "alerting": ("alerting.cli:alerting", "Turn alerts into incidents, messages and actions."),
    "remediation": ("remediation.cli:remediation", "Carry out remediation webhooks."),
    "console": ("dashboards.console.cli:console", "Serve the console."),
    "check": ("watchkeeper.check:check", "Validate all configuration."),
    "backtest": ("anomaly.backtest.cli:backtest", "Say what would have alerted in the past."),
    "report": ("dashboards.report.cli:report", "Say what a day was like and what to do next."),
    "fault": ("watchkeeper.gameday.cli:fault", "Inject and clear faults in the demo."),
    "gameday": ("watchkeeper.gameday.cli:gameday", "Break the demo and time its recovery."),
    "incident": ("watchkeeper.operate:incident", "List and show incidents."),
    "episode": ("anomaly.episode_command:episode", "List anomalies and say what they mean."),
    "pause": ("watchkeeper.operate:pause", "The kill switch: stop remediation actions."),
    "token": ("watchkeeper.token_command:token", "Say who may ask, and how much each may do."),
    "audit": ("watchkeeper.operate:audit", "Prove that no decision or deed was taken back."),
    "resume": ("watchkeeper.operate:resume", "Let remediation actions run again."),
}
"""Command name to where it lives and one line of help; the only place that knows every room."""


VARIANTS = {("backtest", "--rules"): "alerting.backtest.cli:backtest_rules"}
"""A flag that makes a command another room's: what is replayed is then rules, not detectors."""


class LazyGroup(click.Group):
    """A group that imports a command only when it is run or asked for its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the command names in reading order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command, imported now, or None for an unknown name."""
        return _load(COMMANDS[cmd_name][0]) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that ``args`` name, which a flag may make another."""
        for (name, flag), path in VARIANTS.items():
            if args[0] == name and flag in args:
                return name, _load(path), [word for word in args[1:] if word != flag]
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list from the table, so that help imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _load(path: str) -> click.Command:
    module, _, attribute = path.partition(":")
    command: click.Command = getattr(import_module(module), attribute)
    return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name=None, prog_name="watchkeeper")
def root() -> None:
    """Observability that closes the loop: collect, score, alert, act, verify."""


def main() -> None:
    """Run the command line; problems of ours are told in plain words with exit code 2."""
    try:
        root(standalone_mode=True)
    except ConfigError as error:
        click.echo(f"{len(error.problems)} configuration problem(s):", err=True)
        for problem in error.problems:
            click.echo(f"  {problem}", err=True)
        sys.exit(2)
    except WatchkeeperError as error:
        click.echo(f"watchkeeper: {error}", err=True)
        sys.exit(2)
