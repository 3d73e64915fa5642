"""``python -m dashboards.queries --prometheus URL``: does every panel have data there?"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from dashboards.live import Finding, check
from watchkeeper import addresses
from watchkeeper.errors import UpstreamError
from watchkeeper.prometheus import PrometheusClient


@click.command()
@click.option("--prometheus", default=lambda: addresses.url_of("prometheus"), help="Its base URL.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
def main(*, prometheus: str, as_json: bool) -> None:
    """Run every query of every board; exit 1 when one that should answer does not."""
    try:
        findings = check(PrometheusClient(prometheus))
    except UpstreamError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _tell(findings)
    sys.exit(1 if any(finding.silence is None for finding in findings) else 0)


def _tell(findings: list[Finding]) -> None:
    for finding in findings:
        mark = "silent" if finding.silence else "EMPTY "
        until = f" until {finding.silence.until}" if finding.silence else ""
        click.echo(f"{mark}  {finding.dashboard} / {finding.panel}: {finding.problem}{until}")
        click.echo(f"        {finding.expression}")
    empty = sum(finding.silence is None for finding in findings)
    click.echo(f"{empty} without data, {len(findings) - empty} silent as they may be")


if __name__ == "__main__":
    main()
