"""The configuration is read again for a reason, and for no other."""

import pytest

from agent.configured import read_configured
from agent.followed import Followed
from watchkeeper.clock import SystemClock


class Reader:
    """Reads as the agent does, and counts."""

    def __init__(self):
        self.reads = 0

    def __call__(self, path):
        self.reads += 1
        return read_configured(path)


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "password"
    path.write_text("old")
    return path


@pytest.fixture
def config(tmp_path, secret):
    path = tmp_path / "agent.yml"
    path.write_text(
        "discover: false\nhost: {collectors: []}\n"
        f"redis: [{{port: 1, password: {{file: {secret}}}}}]\n"
        "probes: [{url: 'http://127.0.0.1:1/'}]\n"
    )
    return path


def passwords(followed):
    return [recipe.arguments["password"] for recipe in followed.current.recipes[1:2]]


def test_nothing_is_read_again_while_nothing_changes(config):
    reader = Reader()
    followed = Followed(config, reader, SystemClock())
    read_at = followed.read_at
    assert not any(followed.read_if_changed() for _ in range(5))
    assert (reader.reads, followed.read_at) == (1, read_at)


def test_a_secret_that_changes_where_it_stands_is_taken_up_once(config, secret):
    reader = Reader()
    followed = Followed(config, reader, SystemClock())
    secret.write_text("new")
    assert followed.read_if_changed()
    assert not followed.read_if_changed()
    assert (reader.reads, passwords(followed)) == (2, ["new"])


def test_a_secret_that_cannot_be_read_is_told_and_not_tried_again_before_it_changes(config, secret):
    reader = Reader()
    followed = Followed(config, reader, SystemClock())
    secret.unlink()
    assert not any(followed.read_if_changed() for _ in range(3))
    assert (reader.reads, passwords(followed)) == (2, ["old"])
    assert not followed.is_good
    secret.write_text("new")
    assert followed.read_if_changed()
    assert followed.is_good


def test_a_secret_that_is_made_safe_again_is_taken_up(config, secret):
    followed = Followed(config, read_configured, SystemClock())
    secret.chmod(0o666)
    assert not followed.read_if_changed()
    assert not followed.is_good
    secret.chmod(0o600)
    assert followed.read_if_changed()
    assert followed.is_good


def test_a_secret_behind_a_link_that_is_turned_is_taken_up(config, secret, tmp_path):
    (tmp_path / "first").write_text("old")
    secret.unlink()
    secret.symlink_to("first")
    followed = Followed(config, read_configured, SystemClock())
    (tmp_path / "second").write_text("new")
    (tmp_path / "turned").symlink_to("second")
    (tmp_path / "turned").replace(secret)
    assert followed.read_if_changed()
    assert passwords(followed) == ["new"]


def test_an_edit_that_names_another_secret_follows_that_one(config, secret, tmp_path):
    followed = Followed(config, read_configured, SystemClock())
    other = tmp_path / "other"
    other.write_text("other")
    config.write_text(config.read_text().replace(str(secret), str(other)))
    assert followed.read_if_changed()
    secret.write_text("of no interest")
    assert not followed.read_if_changed()
    other.write_text("newest")
    assert followed.read_if_changed()
    assert passwords(followed) == ["newest"]


def test_a_secret_that_comes_after_the_edit_that_names_it_is_taken_up_when_it_comes(
    config, secret, tmp_path
):
    reader = Reader()
    followed = Followed(config, reader, SystemClock())
    other = tmp_path / "other"
    config.write_text(config.read_text().replace(str(secret), str(other)))
    assert not any(followed.read_if_changed() for _ in range(3))
    assert (reader.reads, followed.is_good, passwords(followed)) == (2, False, ["old"])
    other.write_text("late")
    assert followed.read_if_changed()
    assert (reader.reads, followed.is_good, passwords(followed)) == (3, True, ["late"])


def test_a_reading_that_took_too_long_is_tried_again_without_an_edit(config, secret, monkeypatch):
    followed = Followed(config, read_configured, SystemClock())
    secret.write_text("new")
    with monkeypatch.context() as busy:
        busy.setattr("agent.configured.READ_SECONDS", 0.001)
        assert not followed.read_if_changed()
    assert not followed.is_good
    assert followed.read_if_changed()
    assert passwords(followed) == ["new"]
    assert not followed.read_if_changed()
