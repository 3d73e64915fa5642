"""Installing a system package starts nothing, and leaves the machine's own policy as it was."""

import subprocess

import pytest

from watchkeeper.supervisor import debian


@pytest.fixture
def policy(tmp_path, monkeypatch):
    path = tmp_path / "policy-rc.d"
    monkeypatch.setattr(debian, "POLICY", path)
    return path


def test_services_are_forbidden_to_start_while_a_package_is_installed(policy):
    with debian._services_held_back():
        assert subprocess.run([policy, "prometheus", "start"], check=False).returncode == 101
    assert not policy.exists()


def test_services_may_start_again_after_an_installation_that_failed(policy):
    with pytest.raises(OSError, match="disk full"), debian._services_held_back():
        raise OSError("disk full")
    assert not policy.exists()


def test_a_policy_of_the_machine_stays_as_it_is(policy):
    policy.write_text("theirs")
    with debian._services_held_back():
        assert policy.read_text() == "theirs"
    assert policy.read_text() == "theirs"


def test_nothing_is_installed_where_there_is_no_apt(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not debian.may_install()
