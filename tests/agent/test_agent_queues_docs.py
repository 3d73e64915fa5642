"""docs/agent-queues.md says only what is so."""

import re
from pathlib import Path

import pytest
import redis

import agent
from agent.collectors import make
from agent.collectors.redis import RedisCollector
from watchkeeper.catalogue import every_metric
from watchkeeper.errors import Reason

DOCUMENT = (Path(agent.__file__).parents[1] / "docs" / "agent-queues.md").read_text()

NOT_OURS = {"redis_db_keys_cached", "celery_active_process_count"}
"""Named to say that they are left out."""


def test_every_metric_named_is_in_the_catalogue():
    told = "\n".join(line for line in DOCUMENT.split("\n\n") if not line.startswith("Not told"))
    named = set(re.findall(r"`((?:redis|task|celery|rabbitmq|probe)_[a-z_]+)`", told))
    options = {"task_acks_late", "task_send_sent_event", "task_queues"}
    assert named - set(every_metric()) - options == NOT_OURS


@pytest.mark.parametrize("family", ["tasks", "celery"])
def test_every_metric_of_queues_is_named(family):
    catalogue = every_metric()
    elsewhere = {"task_handoff_seconds", "task_sync_lag_seconds"}
    prefix = {"tasks": "task_", "celery": "celery_"}[family]
    ours = {name for name in catalogue if name.startswith(prefix)}
    assert {name for name in ours - elsewhere if f"`{name}`" not in DOCUMENT} == set()


def test_every_reason_of_the_table_is_one():
    rows = re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE)
    assert {"busy", "authentication"} <= set(rows) & set(Reason)


def rights_of(kind):
    text = DOCUMENT.replace("\n", " ")
    (found,) = re.findall(rf"{kind} `(\+llen [^`]+)`", text)
    return [*found.split(), "+select", "+client|setname"]


@pytest.mark.live
@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("Celery", {"key_prefix": "", "queues": ["work"]}),
        ("RQ", {"queues": ["work"]}),
        ("dramatiq", {"queues": ["work"], "namespace": "dramatiq"}),
    ],
)
def test_the_rights_of_the_documentation_are_enough_for_queues(valkey_port, kind, arguments):
    user = f"rights-{kind}"
    with redis.Redis(port=valkey_port, db=1) as client:
        client.acl_setuser(
            user, enabled=True, passwords=["+pw"], keys=["*"], channels=["*"],
            commands=rights_of(kind),
        )  # fmt: skip
        client.zadd("dramatiq:__heartbeats__", {"gone": 0})
        client.rpush("rq:queue:work", "1")
    login = {"host": "127.0.0.1", "port": valkey_port, "user": user, "password": "pw", "db": 1}
    collector = make(kind.lower(), login | arguments)
    told = {family.metric.name for family in [*collector.collect(), *collector.collect()]}
    collector.close()
    with redis.Redis(port=valkey_port) as client:
        refused = [entry["object"] for entry in client.acl_log() if entry["username"] == user]
    assert {"task_queue_depth", "task_queue_in_flight"} <= told
    assert refused == []


@pytest.mark.live
def test_the_rights_of_the_documentation_are_enough_for_redis(valkey_port):
    text = DOCUMENT.replace("\n", " ")
    rights = re.findall(r"`(\+info \+[^`]+)`", text)[0].split()
    with redis.Redis(port=valkey_port) as client:
        client.acl_setuser("rights", enabled=True, passwords=["+pw"], commands=rights)
    collector = RedisCollector(
        host="127.0.0.1", port=valkey_port, user="rights", password="pw", timeout_seconds=2.0
    )
    told = {family.metric.name for family in collector.collect()}
    collector.close()
    with redis.Redis(port=valkey_port) as client:
        refused = [entry["object"] for entry in client.acl_log() if entry["username"] == "rights"]
    assert {"redis_up", "redis_config_maxclients", "redis_slowlog_length"} <= told
    assert refused == []
