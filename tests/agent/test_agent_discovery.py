"""Servers nobody configured are found where they usually are, and never forced."""

import contextlib
import getpass
import os
import socket
import subprocess
import sys
import threading

import pytest

from agent.candidates import Candidate, Senseless, candidates
from agent.configured import read_configured, read_elsewhere
from agent.discovery import discover, look_at, problem_of
from agent.settings.databases import PostgresSettings
from agent.settings.whole import AgentSettings
from tests.ports import free_port
from watchkeeper.configuration import load
from watchkeeper.errors import ConfigError


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
    assert places({"MYSQL_PWD": "p"})["mysql 127.0.0.1:3306"].arguments["password"] == ""
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
    watched = {one.name for one in discover(["postgres", "redis"], environment).watched}
    assert f"redis 127.0.0.1:{valkey_port}" in watched
    assert f"postgres 127.0.0.1:{postgres_port}" in watched


@pytest.mark.live
def test_a_server_that_refuses_us_is_left_alone_and_the_reason_told(postgres_port):
    url = f"postgresql://stranger@127.0.0.1:{postgres_port}/taskboard"
    refused = dict(discover(["postgres"], {"DATABASE_URL": url}).refused)
    assert 'role "stranger" does not exist' in refused[f"postgres 127.0.0.1:{postgres_port}"]


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


SENSELESS = {
    "DATABASE_URL": "postgres://app:S3cr3t/word@db/x",
    "REDIS_URL": "redis://:S3cr3t@[cache",
    "PGPORT": "S3cr3t",
    "MYSQL_TCP_PORT": "99999",
}


def test_what_makes_no_sense_is_left_out_and_told_of_without_its_value():
    found = list(candidates(SENSELESS, (), ()))
    senseless = {one.name: one.problem for one in found if isinstance(one, Senseless)}
    assert list(senseless) == ["DATABASE_URL", "REDIS_URL", "PGPORT", "MYSQL_TCP_PORT"]
    assert "S3cr3t" not in repr(found)
    names = [one.name for one in found if isinstance(one, Candidate)]
    assert names == list(places({}))  # all other places are looked at


def read_in(environment, file):
    """What the reading process makes of a file in an environment."""
    return subprocess.run(
        [sys.executable, "-m", "agent.settings", str(file)],
        env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("discover", ["true", "false"])
def test_foreign_variables_never_stop_the_agent(tmp_path, discover):
    file = tmp_path / "agent.yml"
    file.write_text(f"host: {{collectors: []}}\ndiscover: {discover}\n")
    done = read_in(SENSELESS, file)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("DATABASE_URL" in done.stdout) == (discover == "true")
    assert "S3cr3t" not in done.stdout


def test_what_the_reading_process_dies_of_is_not_shown(tmp_path, monkeypatch):
    (tmp_path / "dying.py").write_text("raise ValueError('S3cr3t')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"ended with 1 at dying\.py:1") as caught:
        read_elsewhere("dying", tmp_path / "agent.yml")
    assert "S3cr3t" not in str(caught.value)


def test_a_user_without_a_name_is_none_to_stop_at(monkeypatch):
    def nobody():
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert places({})["postgres 127.0.0.1:5432"].arguments["user"] == ""


@contextlib.contextmanager
def saying(speak):
    """A server of our own that says to everyone what ``speak`` sends; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=speak, args=[connection], daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def redis_at(port):
    arguments = {"host": "127.0.0.1", "port": port, "user": None, "password": ""}
    return Candidate("redis", arguments, "test")


@pytest.mark.parametrize("script", [b":abc\r\n", b"$x\r\n", b"*1\r\n" * 5000])
def test_an_odd_listener_is_not_watched_and_stops_nothing(script):
    with saying(lambda connection: connection.sendall(script)) as port:
        (finding,) = look_at([redis_at(port)])
    assert finding.problem


def test_a_listener_that_never_comes_to_an_end_holds_up_nobody_for_longer_than_all_have():
    ended = threading.Event()

    def drip(connection):
        with contextlib.suppress(OSError):
            while not ended.wait(0.05):
                connection.sendall(b"x")

    with saying(drip) as slow, saying(lambda connection: connection.sendall(b":x\r\n")) as odd:
        problems = {
            one.candidate.name: one.problem for one in look_at(map(redis_at, (slow, odd)), 1)
        }
        ended.set()
    assert problems[f"redis 127.0.0.1:{slow}"] == "no answer within 1 s"
    assert "no answer" not in problems[f"redis 127.0.0.1:{odd}"]


@pytest.fixture
def unused_port():
    return free_port()
