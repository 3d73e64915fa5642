"""Servers nobody configured are found where they usually are, and never forced."""

import socket

import pytest

from agent.configured import read_configured
from agent.discovery import Candidate, candidates, discover, problem_of
from agent.settings import AgentSettings, PostgresSettings
from watchkeeper.configuration import load


def places(environment, *directories):
    return {candidate.name: candidate for candidate in candidates(environment, directories, ())}


def test_without_a_hint_the_well_known_ports_are_looked_at():
    assert list(places({})) == [
        "postgres 127.0.0.1:5432",
        "mysql 127.0.0.1:3306",
        "redis 127.0.0.1:6379",
        "rq 127.0.0.1:6379/0",
    ]


def test_a_socket_is_preferred_to_the_port_of_the_same_server(tmp_path):
    (tmp_path / ".s.PGSQL.5432").touch()
    (tmp_path / ".s.PGSQL.5432.lock").touch()
    names = [name for name in places({}, str(tmp_path)) if name.startswith("postgres")]
    assert names == [f"postgres {tmp_path}:5432"]


def test_the_environment_names_servers_users_and_passwords():
    found = places(
        {
            "DATABASE_URL": "postgresql://shop:p%40ss@db.internal:6000/orders",
            "CELERY_BROKER_URL": "redis://:secret@queue.internal/3",
        }
    )
    shop = found["postgres db.internal:6000"]
    assert shop.arguments["password"] == "p@ss"
    assert shop.arguments["database"] == "orders"
    assert found["redis queue.internal:6379"].arguments["password"] == "secret"
    assert found["celery queue.internal:6379/3"].arguments["queues"] == ["celery"]
    assert "secret" not in repr(found)
    assert "p@ss" not in repr(found)


def test_a_server_named_with_two_s_speaks_tls():
    found = places({"REDIS_URL": "rediss://cache.internal"})
    assert found["redis cache.internal:6379"].arguments["tls"]
    assert found["rq cache.internal:6379/0"].arguments["tls"]


def test_a_mysql_socket_is_preferred_to_the_port_and_the_clients_variables_count(tmp_path):
    path = tmp_path / "mysqld.sock"
    path.touch()
    found = {c.name: c for c in candidates({"MYSQL_USER": "u", "MYSQL_PWD": "p"}, (), [str(path)])}
    socket_found = found[f"mysql {path}:3306"]
    assert (socket_found.arguments["user"], socket_found.arguments["password"]) == ("u", "p")
    assert "mysql 127.0.0.1:3306" not in found
    elsewhere = places({"MYSQL_HOST": "db1", "MYSQL_TCP_PORT": "3307"})
    assert "mysql db1:3307" in elsewhere
    named = places({"DATABASE_URL": "mysql+pymysql://shop:p%40ss@db2/orders"})["mysql db2:3306"]
    assert named.arguments["password"] == "p@ss"


def test_nobody_listening_is_the_reason_told(unused_port):
    candidate = Candidate("redis", {"host": "127.0.0.1", "port": unused_port}, "test")
    assert problem_of(candidate) == "nothing listens there"


@pytest.mark.live
def test_a_server_that_lets_us_in_is_watched(valkey_port, postgres_port):
    environment = {
        "REDIS_URL": f"redis://127.0.0.1:{valkey_port}",
        "DATABASE_URL": f"postgresql://taskboard@127.0.0.1:{postgres_port}/taskboard",
    }
    problems = {
        finding.candidate.name: finding.problem
        for finding in discover(["postgres", "redis"], environment)
    }
    assert problems[f"redis 127.0.0.1:{valkey_port}"] is None
    assert problems[f"postgres 127.0.0.1:{postgres_port}"] is None


@pytest.mark.live
def test_a_server_that_refuses_us_is_left_alone_and_the_reason_told(postgres_port):
    url = f"postgresql://stranger@127.0.0.1:{postgres_port}/taskboard"
    findings = discover(["postgres"], {"DATABASE_URL": url})
    assert 'role "stranger" does not exist' in findings[0].problem


@pytest.mark.live
def test_what_is_discovered_becomes_a_recipe_and_what_is_not_a_reason(
    tmp_path, monkeypatch, valkey_port, unused_port
):
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{valkey_port}")
    monkeypatch.setenv("CELERY_BROKER_URL", f"redis://127.0.0.1:{unused_port}/0")
    file = tmp_path / "agent.yml"
    file.write_text("host: {collectors: []}\n")
    configured = read_configured(file)
    names = [recipe.name for recipe in configured.recipes]
    assert f"redis 127.0.0.1:{valkey_port}" in names
    refused = dict(configured.refused)
    assert refused[f"celery 127.0.0.1:{unused_port}/0"] == "nothing listens there"


def test_a_kind_that_is_configured_is_not_looked_for(tmp_path):
    file = tmp_path / "agent.yml"
    file.write_text("redis: [{}]\n")
    assert load(file, AgentSettings).kinds_to_discover == ["postgres", "mysql", "celery", "rq"]
    file.write_text("discover: false\n")
    assert load(file, AgentSettings).kinds_to_discover == []


def test_a_discovered_server_gets_the_bounds_of_a_configured_one():
    arguments = {"host": "h", "port": 1, "user": "u", "password": "", "database": "d"}
    recipe = AgentSettings().recipes([Candidate("postgres", arguments, "test")])[-1]
    assert recipe.arguments["statements"] == PostgresSettings().statements
    recipe.make().close()


@pytest.fixture
def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
