"""What the documentation says of the agent is so."""

import configparser
import re
from pathlib import Path

import pytest
import redis

import agent
from agent.cli import agent as command
from agent.collectors import COLLECTORS
from agent.collectors.redis import RedisCollector
from agent.configured import read_configured
from agent.web.configuration import read_web_configuration
from tests.agent.authority import Authority
from tests.agent.probes import PROBES
from tests.agent.test_agent_parity import LEFT_OUT
from watchkeeper.addresses import data_dir
from watchkeeper.catalogue import every_metric
from watchkeeper.cli import COMMANDS

DOCUMENTS = Path(agent.__file__).parents[1] / "docs"
DOCUMENT = (DOCUMENTS / "agent.md").read_text()
DATABASES = (DOCUMENTS / "agent-databases.md").read_text()
QUEUES = (DOCUMENTS / "agent-queues.md").read_text()

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
    rights = re.findall(r"`(\+info [^`]+)`", QUEUES)[0].split()
    with redis.Redis(port=valkey_port) as client:
        client.acl_setuser("documented", enabled=True, passwords=["+pw"], commands=rights)
    collector = RedisCollector(
        host="127.0.0.1", port=valkey_port, user="documented", password="pw", timeout_seconds=2.0
    )
    told = {family.metric.name for family in collector.collect()}
    collector.close()
    assert {"redis_up", "redis_config_maxclients", "redis_slowlog_length"} <= told


def yaml_example(key):
    examples = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    return next(text for text in examples if text.startswith(f"{key}:"))


def test_the_web_configuration_of_the_documentation_can_be_used(tmp_path):
    authority = Authority(tmp_path, "clients")
    authority.sign("agent")
    authority.certificate.rename(tmp_path / "clients.pem")
    (tmp_path / "web.yml").write_text(yaml_example("tls_server_config"))
    web = read_web_configuration(tmp_path / "web.yml")
    assert web.requires_certificate
    assert set(web.users) == {"prometheus"}


def test_the_receiver_of_the_documentation_can_be_used(tmp_path):
    (tmp_path / "agent.yml").write_text("discover: false\n" + yaml_example("otlp"))
    assert read_configured(tmp_path / "agent.yml").receiver.interval_seconds == 15


def test_the_service_of_the_documentation_starts_the_agent_where_it_may_write(monkeypatch):
    (text,) = re.findall(r"```ini\n(.*?)```", DOCUMENT, re.DOTALL)
    unit = configparser.RawConfigParser()
    unit.optionxform = str
    unit.read_string(text)
    service = unit["Service"]
    program, name, *options = service["ExecStart"].split()
    assert Path(program).name == "watchkeeper"
    assert COMMANDS[name][0] == "agent.cli:agent"
    assert set(options[::2]) <= {option for one in command.params for option in one.opts}
    monkeypatch.setenv(*service["Environment"].split("="))
    assert data_dir() == Path("/var/lib") / service["StateDirectory"]
    hides = re.findall(r"`(P\w+)`", DOCUMENT.partition("Leave\n")[2].partition("\n\n")[0])
    assert len(hides) == 3
    assert service.keys().isdisjoint(hides)
