"""Running every query of every board on a live Prometheus: which ones come back empty?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dashboards.boards import every_board
from dashboards.expression import fill
from dashboards.spec import Dashboard, Query, Silence, Variable
from watchkeeper.errors import UpstreamError
from watchkeeper.prometheus import PrometheusClient, is_number

ANY = ".*"
"""What a variable is filled with when everything is chosen."""

NO_DATA = "no data"
"""The problem of a query that was understood; an answer of nothing but NaN shows nothing either."""

UNLABELLED = Silence("a target is given the label")


@dataclass(frozen=True, slots=True)
class Finding:
    """One query that gave no answer, and why.

    ``silence`` is what its answer waits for; None where silence is a fault.
    """

    dashboard: str
    panel: str
    expression: str
    problem: str
    silence: Silence | None


def everything(
    variables: Sequence[Variable], *, window: str = "1m", span: str = "1h"
) -> Mapping[str, str]:
    """Return values for all variables that choose everything, over the given windows."""
    return {variable.name: ANY for variable in variables} | {
        "__rate_interval": window,
        "__range": span,
    }


def check(client: PrometheusClient, boards: Sequence[Dashboard] | None = None) -> list[Finding]:
    """Return every query that is refused or answers nothing, silent ones too.

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
            silence=UNLABELLED if variable.is_optional else None,
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
        answered = any(is_number(sample.value) for sample in client.query(expression))
    except UpstreamError as error:
        yield Finding(board.title, where, expression, str(error), None)
        return
    if not answered:
        yield Finding(board.title, where, expression, NO_DATA, query.silence)
