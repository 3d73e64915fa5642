"""A panel that is empty while all is well fills when what it waits for happens.

Each fault that a silence names is brought about here, unless a test before has already done so: a
panel's answer of any moment since the demo began is taken.
"""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards import silences
from dashboards.boards import every_board
from dashboards.expression import fill
from dashboards.live import everything
from tests.dashboards.equipment import EQUIPMENT
from tests.stack.breakage import BREAKAGE
from tests.waiting import wait_until
from watchkeeper.prometheus import PrometheusClient, is_number

pytestmark = pytest.mark.live

LOOK_BACK = timedelta(minutes=45)
"""Longer than the tests of this folder take."""


def silent_queries(fault):
    """Return the queries that wait for a fault: the panel's name and the filled expression."""
    return [
        (f"{board.title} / {panel.title}", fill(query.expression, everything(board.variables)))
        for board in every_board()
        for panel in board.panels()
        for query in panel.queries
        if query.silence and query.silence.filled_by == fault
    ]


@pytest.fixture(scope="module")
def unanswered(demo):
    """Return the panels that wait for a fault and have had no answer since the demo began."""
    client = PrometheusClient(demo.url("prometheus"))

    def has_answered(expression):
        now = datetime.now(UTC)
        found = client.query_range(expression, start=now - LOOK_BACK, end=now, step_seconds=5.0)
        return any(is_number(value) for series in found for value in series.values)

    return lambda fault: [name for name, query in silent_queries(fault) if not has_answered(query)]


def test_every_fault_that_is_named_can_be_brought_about():
    named = {
        query.silence.filled_by
        for board in every_board()
        for panel in board.panels()
        for query in panel.queries
        if query.silence
    }
    assert named == {silences.DEMO} | set(EQUIPMENT) | set(BREAKAGE)


@pytest.mark.parametrize("fault", BREAKAGE)
def test_what_a_panel_waits_for_fills_it(demo, receiver, unanswered, fault):
    if unanswered(fault):
        with BREAKAGE[fault](demo, receiver):
            wait_until(
                lambda: not unanswered(fault),
                timeout_seconds=180,
                what=f"an answer in every panel that waits for {fault}",
            )
    assert unanswered(fault) == []
