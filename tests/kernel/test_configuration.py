"""Configuration problems name file, line, key and what was expected."""

import os
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from watchkeeper.configuration import (
    MAX_FILE_BYTES,
    DurationSeconds,
    ProblemAt,
    Secret,
    Settings,
    WatchedFile,
    load,
    parse_duration_seconds,
    secrets_in,
)
from watchkeeper.errors import ConfigError
from watchkeeper.stamp import stamp_of


class Server(Settings):
    host: str = "localhost"
    port: int = Field(default=5432, ge=1, le=65535)
    password: Secret | None = None


class Mail(Settings):
    kind: Literal["mail"]
    to: str


class Chat(Settings):
    kind: Literal["chat"]
    room: int


class Example(Settings):
    interval: DurationSeconds = 5.0
    servers: tuple[Server, ...] = ()
    receivers: tuple[Annotated[Mail | Chat, Field(discriminator="kind")], ...] = ()
    use: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _use_what_there_is(self) -> Self:
        for at, name in enumerate(self.use):
            if name not in {server.host for server in self.servers}:
                raise ProblemAt(f"there is no server {name}", "use", at)
        return self


def written(tmp_path, text):
    path = tmp_path / "example.yml"
    path.write_text(text)
    return path


def problems_of(path, **environment):
    with pytest.raises(ConfigError) as caught:
        load(path, Example, environment)
    return caught.value.problems


def test_an_empty_file_means_all_defaults(tmp_path):
    assert load(written(tmp_path, ""), Example) == Example()


def test_an_unknown_key_is_named_with_its_own_line(tmp_path):
    path = written(tmp_path, "interval: 5s\nservers:\n  - host: a\n    prot: 5432\n")
    (problem,) = problems_of(path)
    assert (problem.file, problem.line, problem.key) == (str(path), 4, "servers[0].prot")
    assert "unknown key" in problem.message


def test_a_wrong_type_says_what_was_expected(tmp_path):
    (problem,) = problems_of(written(tmp_path, "\n\nservers:\n  - port: many\n"))
    assert (problem.line, problem.key) == (4, "servers[0].port")
    assert "expected a valid integer" in problem.message


def test_what_was_expected_is_told_in_the_words_of_the_file(tmp_path):
    (problem,) = problems_of(written(tmp_path, "servers: [localhost]\n"))
    assert str(problem).endswith("example.yml:1: servers[0]: expected a mapping")


def test_in_one_of_several_shapes_the_key_and_line_are_those_of_the_file(tmp_path):
    text = "receivers:\n  - kind: mail\n    to: a\n  - kind: chat\n    room: den\n    rom: 1\n"
    wrong, unknown = problems_of(written(tmp_path, text))
    assert (wrong.line, wrong.key) == (5, "receivers[1].room")
    assert (unknown.line, unknown.key) == (6, "receivers[1].rom")


def test_a_check_across_keys_names_the_key_that_is_wrong(tmp_path):
    text = "servers: [{host: a}]\nuse:\n  - a\n  - b\n"
    (problem,) = problems_of(written(tmp_path, text))
    assert (problem.line, problem.key) == (4, "use[1]")
    assert problem.message == "there is no server b"


def test_all_problems_are_reported_together_in_the_order_of_the_file(tmp_path):
    found = problems_of(
        written(tmp_path, "interval: soon\nservers:\n  - port: 0\n  - host: [1]\nextra: 1\n")
    )
    assert [problem.line for problem in found] == [1, 3, 4, 5]


def test_a_key_written_twice_is_refused(tmp_path):
    (problem,) = problems_of(written(tmp_path, "interval: 5s\ninterval: 6s\n"))
    assert (problem.line, problem.message) == (2, "written twice")


def test_broken_yaml_is_named_by_line(tmp_path):
    (problem,) = problems_of(written(tmp_path, "interval: 5s\nservers: [\n"))
    assert problem.line == 3
    assert "not valid YAML" in problem.message


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{of}'] * 10)}]\n" for of, name in pairwise("abcdefgh")
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\nextra: 2026-13-45\n", 2),
        ("\n? [a, b]\n: 1\n", 2),
        ("\nextra: &a [*a]\n", 2),
        ("\nextra: &a {<<: *a}\n", None),
        ("\nextra: !!int abc\n", 2),
        ("\nextra: !!bool abc\n", 2),
        ("\nextra: !!int ''\n", 2),
        ("\nextra: !!float ''\n", 2),
        ("\nextra: !!timestamp x\n", 2),
        ("\nextra: !!python/object:os.system {}\n", 2),
        ("extra: " + "1" * 5000 + "\n", 1),
        ("extra: " + "[" * 3000 + "\n", None),
        ("extra: ${DEEP}\n", 1),
        ("\x00", None),
        (LAUGHS, None),
    ],
)
def test_anything_yaml_can_say_is_a_problem_and_never_a_traceback(tmp_path, text, line):
    found = problems_of(written(tmp_path, text), DEEP="2026-13-45")
    assert found
    assert line is None or line in {problem.line for problem in found}


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf", "9" * 400 + "w", "1" + "0" * 400])
def test_a_number_that_is_not_finite_is_refused_at_its_line(tmp_path, value):
    (problem,) = problems_of(written(tmp_path, f"\ninterval: {value}\n"))
    assert (problem.line, problem.key) == (2, "interval")


def test_a_check_that_trips_is_a_problem_of_the_file(tmp_path):
    class Tripping(Settings):
        names: tuple[str, ...] = ()

        @model_validator(mode="before")
        @classmethod
        def _trip(cls, data):
            return {**data, "names": sorted(set(data["names"]))}

    path = written(tmp_path, "names: [{a: b}]\n")
    with pytest.raises(ConfigError, match=r"example.yml:1: cannot be checked: TypeError"):
        load(path, Tripping)


def test_a_missing_file_is_a_problem_not_a_traceback(tmp_path):
    (problem,) = problems_of(tmp_path / "absent.yml")
    assert "cannot be read" in problem.message


def test_a_file_too_large_to_be_a_configuration_is_refused_before_it_is_taken_apart(tmp_path):
    (problem,) = problems_of(written(tmp_path, "# words\n" * (MAX_FILE_BYTES // 8 + 1)))
    assert problem.message == "cannot be read: expected at most 1 MiB"
    whole = written(tmp_path, "# words\n" * (MAX_FILE_BYTES // 8))
    assert load(whole, Example) == Example()


def test_a_pipe_that_nobody_writes_to_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "example.yml")
    (problem,) = problems_of(tmp_path / "example.yml")
    assert problem.message == "cannot be read: expected an ordinary file"


DESCRIPTORS = Path("/proc/self/fd")


def test_a_directory_is_refused_by_its_name_and_holds_no_descriptor(tmp_path):
    held = len(list(DESCRIPTORS.iterdir()))
    for _ in range(20):
        (problem,) = problems_of(tmp_path)
        assert "Is a directory" in problem.message
        assert str(tmp_path) in problem.message
    assert len(list(DESCRIPTORS.iterdir())) <= held + 2


def test_what_takes_the_place_of_a_followed_file_leaves_the_settings_in_force(tmp_path):
    path = written(tmp_path, "interval: 5s\n")
    watched = WatchedFile(path, Example)
    path.unlink()
    os.mkfifo(path)
    assert not any(watched.reload_if_changed() for _ in range(2))
    assert watched.current.interval == 5.0
    assert "expected an ordinary file" in str(watched.problem)


def test_placeholders_are_filled_from_the_environment_and_keep_their_type(tmp_path):
    path = written(tmp_path, "servers:\n  - host: ${HOST}\n    port: ${PORT:-6000}\n")
    assert load(path, Example, {"HOST": "db"}).servers == (Server(host="db", port=6000),)


def test_an_unset_placeholder_is_named(tmp_path):
    (problem, *_) = problems_of(written(tmp_path, "servers:\n  - host: ${NOWHERE}\n"))
    assert problem.line == 2
    assert "NOWHERE" in problem.message


def test_a_secret_in_the_file_itself_is_refused(tmp_path):
    (problem,) = problems_of(written(tmp_path, "servers:\n  - password: hunter2\n"))
    assert problem.line == 2
    assert "{env: NAME} or {file: PATH}" in problem.message
    assert "hunter2" not in str(problem)


def test_an_unreadable_secret_names_the_file_line_and_key(tmp_path):
    (problem,) = problems_of(
        written(tmp_path, "servers:\n  - password:\n      file: /nonexistent/secret\n")
    )
    assert problem.key == "servers[0].password"
    assert "/nonexistent/secret does not exist" in problem.message


def test_an_unset_secret_variable_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_SECRET", raising=False)
    (problem,) = problems_of(written(tmp_path, "servers: [{password: {env: NO_SUCH_SECRET}}]\n"))
    assert "NO_SUCH_SECRET is not set" in problem.message


def test_an_optional_secret_may_be_absent_and_is_then_false(tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_SECRET", raising=False)
    path = written(tmp_path, "servers: [{password: {env: NO_SUCH_SECRET, optional: true}}]\n")
    assert not load(path, Example).servers[0].password


def test_a_secret_shows_itself_only_when_revealed(tmp_path):
    (tmp_path / "password").write_text("hunter2\n")
    path = written(tmp_path, f"servers: [{{password: {{file: {tmp_path}/password}}}}]\n")
    settings = load(path, Example)
    assert settings.servers[0].password.reveal() == "hunter2"
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


def test_a_bad_edit_keeps_the_settings_in_force_and_says_so(tmp_path):
    path = written(tmp_path, "interval: 5s\n")
    reports = []
    watched = WatchedFile(path, Example, on_reload=reports.append)
    path.write_text("interval: never\n")
    assert watched.reload_if_changed() is False
    assert watched.current.interval == 5.0
    assert watched.problem.problems[0].line == 1
    path.write_text("interval: 10s\n")
    assert watched.reload_if_changed() is True
    assert watched.current.interval == 10.0
    assert [report is None for report in reports] == [False, True]


def test_an_unchanged_file_is_not_read_again(tmp_path):
    reports = []
    watched = WatchedFile(written(tmp_path, "interval: 5s\n"), Example, on_reload=reports.append)
    assert watched.reload_if_changed() is False
    assert reports == []


def test_an_unchanged_file_is_read_again_when_told_to_for_its_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("EXAMPLE_INTERVAL", "5s")
    watched = WatchedFile(written(tmp_path, "interval: ${EXAMPLE_INTERVAL}\n"), Example)
    monkeypatch.setenv("EXAMPLE_INTERVAL", "7s")
    assert watched.reload() is True
    assert watched.current.interval == 7.0


def test_a_secret_that_is_rotated_is_taken_up_without_an_edit(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("old")
    path = written(tmp_path, f"servers:\n  - host: db\n    password: {{file: {secret}}}\n")
    watched = WatchedFile(path, Example)
    secret.write_text("new")
    assert watched.reload_if_changed()
    assert watched.current.servers[0].password.reveal() == "new"
    assert not watched.reload_if_changed()


def test_a_secret_that_comes_after_the_edit_that_names_it_is_taken_up_when_it_comes(tmp_path):
    reports = []
    secret = tmp_path / "password"
    path = written(tmp_path, "")
    watched = WatchedFile(path, Example, on_reload=reports.append)
    path.write_text(f"servers:\n  - host: db\n    password: {{file: {secret}}}\n")
    assert not any(watched.reload_if_changed() for _ in range(3))
    secret.write_text("")
    assert not any(watched.reload_if_changed() for _ in range(3))
    secret.write_text("hunter2")
    assert watched.reload_if_changed()
    assert watched.current.servers[0].password.reveal() == "hunter2"
    assert [report is None for report in reports] == [False, False, True]


@given(st.integers(0, 10_000), st.integers(0, 59))
def test_durations_add_up(minutes, seconds):
    assert parse_duration_seconds(f"{minutes}m{seconds}s") == minutes * 60 + seconds


def refusal_of(call, *arguments):
    """Return what was raised, or None: any other error than the two expected fails the test."""
    try:
        call(*arguments)
    except (ValueError, ConfigError) as error:
        return error
    return None


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_a_clear_refusal(text):
    refusal = refusal_of(parse_duration_seconds, text)
    assert refusal is None or "expected a duration" in str(refusal)


@given(st.text(max_size=200))
def test_any_file_content_gives_settings_or_problems_with_lines(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "fuzz.yml"
    path.write_text(text, encoding="utf-8", errors="replace")
    refusal = refusal_of(load, path, Example, {})
    assert refusal is None or all(problem.line >= 1 for problem in refusal.problems)


def test_every_secret_is_found_and_shows_when_its_file_becomes_another(tmp_path):
    class Server(Settings):
        password: Secret

    class Shop(Settings):
        servers: tuple[Server, ...]
        headers: dict[str, Secret]

    first, second = tmp_path / "first", tmp_path / "second"
    for file in (first, second):
        file.write_text("hunter2")
    shop = Shop.model_validate(
        {"servers": [{"password": {"file": first}}], "headers": {"token": {"file": second}}}
    )
    found = {secret.file: secret.stamp for secret in secrets_in(shop)}
    assert found == {first: stamp_of(first), second: stamp_of(second)}
    second.chmod(0o600)
    assert found[first] == stamp_of(first)
    assert found[second] != stamp_of(second)
