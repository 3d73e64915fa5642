"""Where things are, which token guards them, and what is said when that cannot be."""

import stat
from pathlib import Path

import pytest

from watchkeeper.addresses import api_token, make_data_dir
from watchkeeper.cli import main
from watchkeeper.errors import ConfigError


def token_of(path):
    return api_token({"WATCHKEEPER_API_TOKEN_FILE": str(path)})


def test_the_token_is_what_the_file_holds(tmp_path):
    (tmp_path / "token").write_text("  secret\n")
    assert token_of(tmp_path / "token") == "secret"


def test_without_a_file_there_is_no_token():
    assert api_token({}) is None


@pytest.mark.parametrize("content", ["", " \n"])
def test_an_empty_token_file_is_refused_for_it_would_switch_the_guard_off(tmp_path, content):
    (tmp_path / "token").write_text(content)
    with pytest.raises(ConfigError, match=r"WATCHKEEPER_API_TOKEN_FILE: .*token is empty"):
        token_of(tmp_path / "token")


def test_a_token_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"TOKEN_FILE: .*cannot be read: .*No such file"):
        token_of(tmp_path / "missing")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        token_of(tmp_path / "binary")


def test_a_data_directory_is_made_for_this_user_alone(tmp_path):
    made = make_data_dir(tmp_path / "deep" / "var")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert list(made.iterdir()) == []


def test_a_data_directory_that_is_there_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o750)
    assert stat.S_IMODE(make_data_dir(tmp_path).stat().st_mode) == 0o750


@pytest.mark.parametrize("path", [Path("/proc/nope"), Path(__file__), Path(__file__) / "below"])
def test_a_data_directory_that_cannot_be_is_a_problem_that_names_it(path):
    with pytest.raises(ConfigError, match=f"data directory: {path} cannot be used"):
        make_data_dir(path)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["agent", "--listen", "foo"], "--listen: expected HOST:PORT"),
        (["up", "--data-dir", "/proc/nope"], "data directory: /proc/nope cannot be used"),
    ],
)
def test_a_wrong_option_is_told_in_plain_words(monkeypatch, capsys, arguments, told):
    monkeypatch.setattr("sys.argv", ["watchkeeper", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
