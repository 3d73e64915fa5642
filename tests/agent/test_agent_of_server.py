"""Collectors of servers say that these are down, in the same words however they find out."""

import pytest

from agent.collector import CollectionFailed, OfServer
from agent.collectors import COLLECTORS
from agent.configured import read_recipes
from tests.agent.probes import PROBES
from watchkeeper.catalogue import every_metric

DEAD = """\
discover: false
host: {collectors: []}
postgres: [{port: 1}]
mysql: [{port: 1}]
redis: [{port: 1}]
rabbitmq: [{url: 'http://127.0.0.1:1'}]
probes: [{url: 'tcp://127.0.0.1:1'}]
"""

KINDS = {
    "postgres": "pg_up", "mysql": "mysql_up", "redis": "redis_up", "rabbitmq": "rabbitmq_up",
    "probe": "probe_success",
}  # fmt: skip


def test_every_metric_that_says_so_has_its_collector_here():
    ups = {name for name in every_metric() if name.count("_") == 1 and name.endswith("_up")}
    assert ups | {"probe_success"} == set(KINDS.values())
    assert set(COLLECTORS) - set(PROBES) > set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_says_nothing_is_told_of_as_one_that_is_not_there(kind, tmp_path):
    file = tmp_path / "agent.yml"
    file.write_text(DEAD)
    collector = next(one for one in read_recipes(file) if one.kind == kind).make()
    assert isinstance(collector, OfServer)
    (silent,) = collector.when_silent()
    try:
        told = list(collector.collect())
    except CollectionFailed as error:
        told = list(error.families)
    finally:
        collector.close()
    (dead,) = [family for family in told if family.metric is silent.metric]
    assert silent.metric.name == KINDS[kind]
    assert dead.samples == silent.samples
    assert [value for _, value in silent.samples] == [0]
