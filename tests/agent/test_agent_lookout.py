"""A server that nobody configured is found when it comes, and watched when it goes."""

from datetime import UTC, datetime

import pytest

from agent.candidates import Candidate
from agent.configured import RememberingReader
from agent.discovery import discover
from agent.followed import Followed
from agent.lookout import PAUSE_SECONDS
from benchmarks.scraped import free_port
from tests.agent.redis_servers import serving
from watchkeeper.clock import ManualClock


@pytest.fixture
def port(monkeypatch):
    port = free_port()
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{port}")
    return port


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "agent.yml"
    path.write_text("host: {collectors: []}\n")
    return path


def watched(configured, port):
    return f"redis 127.0.0.1:{port}" in [recipe.name for recipe in configured.recipes]


@pytest.mark.live
def test_a_server_that_starts_after_the_agent_is_found(config, port, tmp_path):
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    followed = Followed(config, RememberingReader(), clock)
    assert not watched(followed.current, port)
    with serving(tmp_path / "redis", port=port):
        assert not followed.read_if_changed()  # not before it is time to look
        clock.advance(PAUSE_SECONDS)
        assert followed.read_if_changed()
        assert watched(followed.current, port)


@pytest.mark.live
def test_a_server_that_is_down_when_the_file_is_read_again_stays_watched(config, port, tmp_path):
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    with serving(tmp_path / "redis", port=port):
        followed = Followed(config, RememberingReader(), clock)
        assert watched(followed.current, port)
    config.write_text("host: {collectors: [load]}\n")
    assert followed.read_if_changed()
    assert watched(followed.current, port)
    clock.advance(PAUSE_SECONDS)
    assert not followed.read_if_changed()  # what is known to be watched is not news
    config.write_text("host: {collectors: []}\ndiscover: false\n")
    assert followed.read_if_changed()
    assert not watched(followed.current, port)


def test_nobody_looks_where_nothing_is_to_be_discovered_or_too_early(config):
    looks = []
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    followed = Followed(config, RememberingReader(), clock, lambda told: looks.append(told) or [])
    clock.advance(PAUSE_SECONDS - 1)
    assert not followed.read_if_changed()
    assert not looks
    clock.advance(1)
    assert not any(followed.read_if_changed() for _ in range(3))
    assert looks == [followed.current]
    config.write_text("host: {collectors: []}\ndiscover: false\n")
    assert followed.read_if_changed()
    clock.advance(PAUSE_SECONDS)
    assert not followed.read_if_changed()
    assert len(looks) == 1


def candidate(port, password):
    place = {"host": "127.0.0.1", "port": port, "user": None, "password": password}
    return Candidate("redis", place, "test")


def test_what_was_once_discovered_is_kept_as_the_environment_names_it_now():
    port = free_port()
    environment = {"REDIS_URL": f"redis://:new@127.0.0.1:{port}"}
    found = discover(["redis"], environment, [candidate(port, "old"), candidate(1, "gone")])
    arguments = [one.arguments for one in found.watched]
    assert [one["password"] for one in arguments if one["port"] in (1, port)] == ["new", "gone"]
    assert f"redis 127.0.0.1:{port}" not in dict(found.refused)
    assert not discover(["postgres"], environment, [candidate(port, "old")]).watched
