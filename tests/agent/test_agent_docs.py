"""What the documentation says of the agent is so."""

import re
from pathlib import Path

import pytest
import redis

import agent
from agent.collectors import COLLECTORS
from agent.collectors.redis import RedisCollector
from tests.agent.probes import PROBES
from tests.agent.test_agent_parity import LEFT_OUT
from watchkeeper.catalogue import every_metric

DOCUMENT = (Path(agent.__file__).parents[1] / "docs" / "agent.md").read_text()
DATABASES = (Path(agent.__file__).parents[1] / "docs" / "agent-databases.md").read_text()

NOT_CATALOGUED = {
    "redis_db_keys_cached", "node_textfile_scrape_error", "pg_settings_extra_float_digits",
    "pg_monitor", "pg_stat_statements",
}  # fmt: skip
"""Named for other reasons: not collected, told by whoever has the setting, or no metric at all."""


def test_every_kind_is_documented():
    documented = set(re.findall(r"`([a-z-]+)`", DOCUMENT))
    assert set(COLLECTORS) - set(PROBES) <= documented


def test_every_metric_named_is_in_the_catalogue():
    text = DOCUMENT + DATABASES
    named = set(re.findall(r"`((?:watchkeeper|pg|mysql|node|redis)_[a-z_]+)`", text))
    known = {name for full in every_metric() for name in (full, full.removesuffix("_total"))}
    assert named - known - NOT_CATALOGUED == set()


def test_every_family_left_out_is_named_with_the_others():
    for family in LEFT_OUT:
        assert family.removesuffix("_total") in DOCUMENT


@pytest.mark.live
def test_the_rights_of_the_documentation_are_enough_for_redis(valkey_port):
    rights = re.findall(r"`(\+info [^`]+)`", DOCUMENT)[0].split()
    with redis.Redis(port=valkey_port) as client:
        client.acl_setuser("documented", enabled=True, passwords=["+pw"], commands=rights)
    collector = RedisCollector(
        host="127.0.0.1", port=valkey_port, user="documented", password="pw", timeout_seconds=2.0
    )
    told = {family.metric.name for family in collector.collect()}
    collector.close()
    assert {"redis_up", "redis_config_maxclients", "redis_slowlog_length"} <= told
