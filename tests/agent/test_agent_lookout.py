"""A server that nobody configured is found when it comes, and watched when it goes."""

import socket
from datetime import UTC, datetime

import pytest

from agent.candidates import Candidate
from agent.configured import Configured, RememberingReader
from agent.discovery import discover
from agent.followed import Followed
from agent.lookout import ASK_AGAIN_SECONDS, PAUSE_SECONDS, Lookout
from agent.presence import present
from tests.agent.redis_servers import serving
from tests.ports import free_port
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
    lookout = Lookout(clock, lambda told: looks.append(told) or [], lambda *_: {"redis a:1"})
    followed = Followed(config, RememberingReader(), clock, lookout)
    clock.advance(PAUSE_SECONDS - 1)
    assert not followed.read_if_changed()
    assert not looks
    clock.advance(1)
    assert not any(followed.read_if_changed() for _ in range(3))
    assert looks == [followed.current]
    config.write_text("host: {collectors: []}\ndiscover: false\n")
    assert followed.read_if_changed()
    clock.advance(ASK_AGAIN_SECONDS)
    assert not followed.read_if_changed()
    assert len(looks) == 1


class Street:
    """Where somebody may be at home, and who was asked."""

    def __init__(self):
        self.at_home, self.asked = frozenset(), []
        self.clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.lookout = Lookout(self.clock, self._ask, lambda *_: self.at_home)

    def _ask(self, _configured):
        self.asked.append(self.at_home)
        return []

    def times_asked(self, at_home, seconds=PAUSE_SECONDS):
        """Return how often somebody was asked after so many seconds with these at home."""
        before = len(self.asked)
        self.at_home = frozenset(at_home)
        self.clock.advance(seconds)
        self.lookout.sees_more(NOTHING_WATCHED)
        return len(self.asked) - before


NOTHING_WATCHED = Configured([], [], None, None, {}, ["redis"], [])


def test_who_is_there_and_refuses_is_asked_again_only_rarely():
    street = Street()
    assert street.times_asked([]) == 0
    assert street.times_asked(["redis a:1"]) == 1
    assert street.times_asked(["redis a:1"]) == 0
    assert street.times_asked(["redis a:1", "redis b:2"]) == 1
    assert street.times_asked(["redis a:1", "redis b:2"], ASK_AGAIN_SECONDS - 1) == 0
    assert street.times_asked(["redis a:1", "redis b:2"]) == 1


def test_who_went_and_came_back_is_asked_again():
    street = Street()
    assert street.times_asked(["redis a:1"]) == 1
    assert street.times_asked([]) == 0
    assert street.times_asked(["redis a:1"]) == 1


def test_where_nobody_is_at_home_nobody_is_ever_asked():
    street = Street()
    assert sum(street.times_asked([]) for _ in range(30)) == 0


def test_only_places_of_the_kinds_looked_for_where_somebody_listens_are_told_of(port):
    environment = {"REDIS_URL": f"redis://127.0.0.1:{port}"}
    assert f"redis 127.0.0.1:{port}" not in present(["redis"], environment)
    with socket.create_server(("127.0.0.1", port)):
        assert f"redis 127.0.0.1:{port}" in present(["redis"], environment)
        assert not present(["rabbitmq"], environment)


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
