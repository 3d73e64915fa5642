"""Keys somebody named are told of as redis_exporter tells of them, and no others are looked at."""

import re

import pytest
import redis
import yaml

from agent.collectors.redis import RedisCollector
from agent.settings.whole import AgentSettings
from agent.text import Renderer, TextFormat, text_of
from benchmarks import exporters
from benchmarks.scraped import Scraped
from tests.agent.probes import Page
from tests.agent.told import Told
from tests.ports import free_port
from watchkeeper.catalogue.document import ROOT
from watchkeeper.configuration import load
from watchkeeper.errors import ConfigError

DOCUMENT = (ROOT / "docs" / "agent-queues.md").read_text()

NAMES = ("number", "text", "list", "set", "sorted", "hash", "stream", "gone", "a key: {odd}")
ABOUT_KEYS = {"redis_key_size", "redis_key_value"}


@pytest.fixture
def broker(valkey_port):
    """A database with a key of every kind."""
    with redis.Redis(port=valkey_port, db=7) as client:
        client.flushdb()
        client.set("number", "-42.5")
        client.set("text", "S3cr3t" * 100)
        client.rpush("list", 1, 2, 3)
        client.sadd("set", 1, 2)
        client.zadd("sorted", {"one": 1})
        client.hset("hash", "one", 1)
        client.xadd("stream", {"one": 1})
        client.rpush("a key: {odd}", *range(5))
        yield client
        client.flushdb()


def text_told(port, keys, **login):
    collector = RedisCollector(
        **({"user": None, "password": ""} | login),
        host="127.0.0.1", port=port, keys=keys, timeout_seconds=20.0,
    )  # fmt: skip
    families = [list(collector.collect()) for _ in range(2)][-1]
    collector.close()
    return text_of(Renderer().render(families), TextFormat.PROMETHEUS)


@pytest.mark.live
def test_redis_exporter_tells_the_same_of_the_same_keys(valkey_port, broker, tmp_path):
    program = exporters.find(tmp_path)["prometheus-redis-exporter"]
    port = free_port()
    names = [f"db7={name}" for name in NAMES if ":" not in name]
    command = [
        str(program), f"-web.listen-address=127.0.0.1:{port}",
        f"-redis.addr=redis://127.0.0.1:{valkey_port}", f"-check-single-keys={','.join(names)}",
    ]  # fmt: skip
    process = Scraped("redis_exporter", command, port, {})
    try:
        process.wait_until_it_answers()
        theirs = Told.read(process.scrape()[1].decode())
    finally:
        process.stop()
    keys = [{"db": 7, "key": name} for name in NAMES if ":" not in name]
    ours = Told.read(text_told(valkey_port, keys).decode())
    without_server = {
        (name, labels - {("server", f"127.0.0.1:{valkey_port}")}): value
        for (name, labels), value in ours.values.items()
        if name in ABOUT_KEYS
    }
    assert without_server == {
        (name, labels): value
        for (name, labels), value in theirs.values.items()
        if name in ABOUT_KEYS
    }
    assert len(without_server) == len(names) + 1
    assert {ours.types[name] for name in ABOUT_KEYS} == {"gauge"}


@pytest.mark.live
def test_a_key_is_told_whatever_its_name_and_no_text_is(valkey_port, broker):
    text = text_told(valkey_port, [{"db": 7, "key": name} for name in NAMES])
    assert Page(text).value("redis_key_size", key="a key: {odd}", db="db7") == 5
    assert b"S3cr3t" not in text


@pytest.mark.live
def test_a_number_too_long_to_be_one_is_none(valkey_port, broker):
    broker.set("long", "1" * 65)
    broker.set("longest", "1" * 64)
    page = Page(text_told(valkey_port, [{"db": 7, "key": key} for key in ("long", "longest")]))
    assert [labels["key"] for labels in page.labels("redis_key_value")] == ["longest"]
    assert page.value("redis_key_size", key="long") == 65


@pytest.mark.live
def test_the_rights_of_the_documentation_are_enough_and_without_them_only_keys_are_missing(
    valkey_port, broker
):
    (rights,) = re.findall(r"`(\+select \+type [^`]+)`", DOCUMENT)
    keys = [{"db": 7, "key": name} for name in NAMES]
    told = {}
    for user, more in (("keyless", []), ("looking", rights.split())):
        broker.acl_setuser(
            user, enabled=True, passwords=["+pw"], commands=["+info", *more], reset=True,
            reset_keys=True, keys=["%R~*"],
        )  # fmt: skip
        page = Page(text_told(valkey_port, keys, user=user, password="pw"))
        assert page.value("redis_up") == 1
        told[user] = len(page.labels("redis_key_size"))
    refused = [entry["object"] for entry in broker.acl_log() if entry["username"] == "looking"]
    assert told == {"keyless": 0, "looking": len(NAMES)}
    assert not {"type", "select", "llen", "strlen", "getrange"} & set(refused)


def test_the_example_of_the_documentation_can_be_used_and_a_key_is_named_once(tmp_path):
    examples = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    (example,) = [text for text in examples if "keys:" in text]
    file = tmp_path / "agent.yml"
    file.write_text(example)
    (server,) = load(file, AgentSettings).redis
    assert [(one.db, one.key) for one in server.keys] == [(0, "mail:outgoing"), (2, "last-invoice")]
    twice = {"redis": [{"keys": [{"key": "a"}, {"db": 1, "key": "a"}, {"key": "a"}]}]}
    file.write_text(yaml.safe_dump(twice))
    with pytest.raises(ConfigError, match="expected each key once, got a of database 0 twice"):
        load(file, AgentSettings)
