"""A panel about what the demo and many machines lack fills where there is such a thing.

The real agent tells of it, the real Prometheus scrapes that, and panels are asked as on a board.
"""

import json
from contextlib import ExitStack

import pytest

from dashboards.boards import every_board
from dashboards.expression import fill
from dashboards.live import everything
from tests.agent.running_agent import RunningAgent
from tests.agent.running_prometheus import RunningPrometheus
from tests.dashboards.equipment import EQUIPMENT
from tests.waiting import wait_until_holds
from watchkeeper.prometheus import PrometheusClient, is_number

pytestmark = pytest.mark.live

BESIDE = """\
  - job_name: beside
    static_configs: [{{targets: {targets}, labels: {{service: drill}}}}]
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A Prometheus that watches an agent which has every piece of equipment to tell of."""
    with ExitStack() as stack:
        pieces = [
            stack.enter_context(set_up(tmp_path_factory.mktemp(name)))
            for name, set_up in EQUIPMENT.items()
        ]
        directory = tmp_path_factory.mktemp("watching")
        settings = {"interval": "1s", "slow_interval": "2s", "discover": False}
        for piece in pieces:
            settings |= piece.settings
        config = directory / "agent.yml"
        config.write_text(json.dumps(settings))  # JSON is YAML
        agent = RunningAgent(config)
        stack.callback(agent.stop)
        beside = json.dumps([piece.target for piece in pieces if piece.target])
        target = agent.url.removeprefix("http://")
        prometheus = RunningPrometheus(directory, target, BESIDE.format(targets=beside))
        stack.callback(prometheus.stop)
        yield PrometheusClient(prometheus.url, timeout_seconds=20.0)


def without_answer(client, name):
    """Return the queries that wait for a piece of equipment and have no answer yet."""
    return [
        f"{board.title} / {panel.title}: {query.expression}"
        for board in every_board()
        for panel in board.panels()
        for query in panel.queries
        if query.silence and query.silence.filled_by == name
        if not any(
            is_number(sample.value)
            for sample in client.query(fill(query.expression, everything(board.variables)))
        )
    ]


@pytest.mark.parametrize("name", EQUIPMENT)
def test_what_a_panel_needs_fills_it(client, name):
    def every_panel_answers():
        assert without_answer(client, name) == []

    wait_until_holds(every_panel_answers, timeout_seconds=120)
