"""The configuration is checked whole, and read by a process that ends."""

from pathlib import Path

import pytest

import agent
from agent.collectors import COLLECTORS, HOST_KINDS, OFF_BY_DEFAULT, SLOW_HOST_KINDS, WAITING_KINDS
from agent.configured import read_recipes
from agent.settings.whole import AgentSettings
from tests.agent.probes import PROBES
from watchkeeper.configuration import load
from watchkeeper.errors import ConfigError

SHIPPED = Path(agent.__file__).parent / "agent.yml"
DEMO = Path(agent.__file__).parents[1] / "examples/taskboard/config/agent.yml"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "agent.yml"


def test_the_shipped_file_states_the_defaults():
    assert load(SHIPPED, AgentSettings) == AgentSettings()


def test_the_kinds_a_file_may_name_are_those_there_are():
    assert set(HOST_KINDS) < set(COLLECTORS)
    assert set(HOST_KINDS) > SLOW_HOST_KINDS | WAITING_KINDS | OFF_BY_DEFAULT


def test_what_is_ignored_reaches_the_collectors_and_no_others(file):
    file.write_text("host: {ignored: {networks: ^veth, units: user}}\n")
    arguments = {recipe.kind: recipe.arguments for recipe in read_recipes(file)}
    assert arguments["network"]["ignored_devices"] == "^veth"
    assert arguments["systemd"]["ignored_units"] == "user"
    assert set(arguments["disk"]) == {"proc", "root"}


def test_only_what_may_wait_has_a_thread_of_its_own(file):
    file.write_text("host: {collectors: [cpu, load, filesystem]}\nredis: [{}]\n")
    lanes = {recipe.name: recipe.lane for recipe in read_recipes(file)}
    assert lanes["cpu"] == lanes["load"] == lanes["process"]
    assert len(set(lanes.values())) == 3


def test_the_demo_watches_its_servers_where_they_are(monkeypatch):
    monkeypatch.setenv("TASKBOARD_POSTGRES_PORT", "18313")
    monkeypatch.delenv("TASKBOARD_VALKEY_PORT", raising=False)
    names = [recipe.name for recipe in load(DEMO, AgentSettings).recipes()]
    assert {
        "postgres 127.0.0.1:18313",
        "redis 127.0.0.1:8314",
        "celery 127.0.0.1:8314/0",
    } <= set(names)


def test_what_the_reading_process_hands_over_is_what_the_file_says(file, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("s3cret\n")
    file.write_text(f"interval: 1m\nredis:\n  - port: 7000\n    password: {{file: {secret}}}\n")
    recipe = read_recipes(file)[-1]
    assert recipe.name == "redis 127.0.0.1:7000"
    assert recipe.interval_seconds == 60
    assert recipe.arguments["password"] == "s3cret"
    assert "s3cret" not in repr(recipe)


def test_every_recipe_makes_a_collector(file):
    file.write_text(
        f"discover: false\nhost: {{collectors: [{', '.join(HOST_KINDS)}]}}\n"
        "probes: [{url: 'tcp://localhost:1'}]\ntextfile: {directories: [/nowhere]}\n"
        "process_groups: [{name: all, command: .}]\n"
        "postgres: [{}]\nmysql: [{}]\nredis: [{}]\ncelery:\n  - broker: {}\n    queues: [a, b]\n"
        "rq:\n  - broker: {}\ndramatiq:\n  - broker: {}\nrabbitmq: [{}]\n",
    )
    recipes = read_recipes(file)
    assert {recipe.kind for recipe in recipes} == set(COLLECTORS) - set(PROBES)
    for recipe in recipes:
        recipe.make().close()


@pytest.mark.parametrize(
    ("text", "line", "key", "expectation"),
    [
        ("interval: 5s\nintervall: 5s\n", 2, "intervall", "unknown key"),
        ("interval: soon\n", 1, "interval", "expected a duration"),
        ("host:\n  collectors: [cpu, gpu]\n", 2, "host.collectors[1]", "expected one of cpu"),
        ("host:\n  ignored: {units: '('}\n", 2, "host.ignored.units", "a regular expression"),
        ("redis:\n  - port: 70000\n", 2, "redis[0].port", "less than or equal to 65535"),
        ("redis:\n  - password: hunter2\n", 2, "redis[0].password", "expected {env: NAME}"),
        ("postgres:\n  - password: {file: /nowhere}\n", 2, "postgres[0].password", "/nowhere"),
        ("rabbitmq:\n  - task_queues: [prod/]\n", 2, "rabbitmq[0].task_queues[0]", "vhost/name"),
        ("probes:\n  - url: ftp://a\n", 2, "probes[0].url", "expected http://"),
        ("probes:\n  - url: tcp://a\n", 2, "probes[0].url", "expected http://"),
        ("probes:\n  - url: http://u:p@a/\n", 2, "probes[0].url", "no user and password"),
        (
            "probes:\n  - {url: 'http://a', expect_body: '('}\n",
            2,
            "probes[0].expect_body",
            "regular",
        ),
        (
            "probes:\n  - {url: 'http://a', expect_body: '(?=ok)'}\n",
            2,
            "probes[0].expect_body",
            "as RE2 knows it",
        ),
        ("celery:\n  - broker: {}\n    queues: []\n", 3, "celery[0].queues", "at least 1"),
    ],
)
def test_what_is_wrong_is_named_by_line_key_and_expectation(file, text, line, key, expectation):
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_recipes(file)
    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (line, key)
    assert expectation in problem.message
    assert "hunter2" not in str(problem)


def test_a_queue_named_twice_is_refused(file):
    file.write_text("celery:\n  - {broker: {}, queues: [a]}\n  - {broker: {}, queues: [a]}\n")
    with pytest.raises(ConfigError, match="expected each queue once, got a"):
        read_recipes(file)


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("celery:\n  - {broker: {}, queues: [a]}\n  - {broker: {}, queues: [b]}\n", "celery .*/0"),
        ("rq: [{broker: {db: 2}, queues: [a]}, {broker: {db: 2}}]\n", "rq .*/2"),
        ("dramatiq: [{broker: {}, queues: [a]}, {broker: {}, queues: [b]}]\n", "dramatiq .*/0"),
        ("rabbitmq: [{url: 'http://a:1'}, {url: 'http://a:1'}]\n", "rabbitmq http://a:1"),
        ("probes: [{url: 'tcp://a:1'}, {url: 'tcp://a:1'}]\n", "probe tcp://a:1"),
        ("host: {collectors: [cpu, cpu]}\n", "cpu"),
    ],
)
def test_what_two_entries_would_watch_is_refused_rather_than_left_out(file, text, thing):
    file.write_text(text)
    with pytest.raises(ConfigError, match=f"expected each once, got {thing} twice"):
        read_recipes(file)


def test_applications_that_keep_apart_in_one_broker_are_both_watched(file):
    file.write_text(
        "discover: false\n"
        "celery:\n"
        "  - {broker: {}, queues: [a]}\n"
        "  - {broker: {key_prefix: 'shop:'}, queues: [b]}\n"
        "dramatiq:\n"
        "  - {broker: {}, queues: [c]}\n"
        "  - {broker: {}, namespace: shop, queues: [d]}\n"
    )
    names = [one.name for one in read_recipes(file) if one.kind in ("celery", "dramatiq")]
    place = "127.0.0.1:6379/0"
    assert names == [
        f"celery {place}",
        f"celery {place} shop:",
        f"dramatiq {place}",
        f"dramatiq {place} shop",
    ]


def test_a_queue_of_one_kind_may_not_have_the_name_of_another_kinds(file):
    file.write_text("rq:\n  - broker: {}\n    queues: [a]\nrabbitmq:\n  - task_queues: [a]\n")
    with pytest.raises(ConfigError, match="expected each queue once, got a"):
        read_recipes(file)
