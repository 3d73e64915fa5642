"""Running every query of every board on a live Prometheus: which ones come back empty?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dashboards.boards import every_board
from dashboards.expression import fill
from dashboards.spec import Dashboard, Query, Variable
from watchkeeper.errors import UpstreamError
from watchkeeper.prometheus import PrometheusClient

ANY = ".*"
"""What a variable is filled with when everything is chosen."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One query that gave no answer, and why.

    ``quiet`` queries are about things that should not happen; their silence is no fault.
    """

    dashboard: str
    panel: str
    expression: str
    problem: str
    quiet: bool


def everything(
    variables: Sequence[Variable], *, window: str = "1m", span: str = "1h"
) -> Mapping[str, str]:
    """Return values for all variables that choose everything, over the given windows."""
    return {variable.name: ANY for variable in variables} | {
        "__rate_interval": window,
        "__range": span,
    }


def check(client: PrometheusClient, boards: Sequence[Dashboard] | None = None) -> list[Finding]:
    """Return every query that is refused or answers nothing, quiet ones too.

    Raises:
        UpstreamError: Prometheus itself cannot be reached, so nothing can be said of the queries.
    """
    client.query("vector(1)")
    return [
        finding
        for board in (every_board() if boards is None else boards)
        for finding in _check_board(client, board)
    ]


def _check_board(client: PrometheusClient, board: Dashboard) -> Iterator[Finding]:
    values = everything(board.variables)
    for variable in board.variables:
        query = Query(
            f"count by ({variable.label}) ({fill(variable.series, values)})",
            quiet=variable.is_optional,
        )
        yield from _check_query(client, board, f"variable ${variable.name}", query, values)
    for panel in board.panels():
        for query in panel.queries:
            yield from _check_query(client, board, panel.title, query, values)


def _check_query(
    client: PrometheusClient, board: Dashboard, where: str, query: Query, values: Mapping[str, str]
) -> Iterator[Finding]:
    expression = fill(query.expression, values)
    try:
        problem = None if client.query(expression) else "no data"
    except UpstreamError as error:
        problem = str(error)
    if problem:
        yield Finding(board.title, where, expression, problem, query.quiet and problem == "no data")
