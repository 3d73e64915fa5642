"""Programs really run: nothing of ours reaches them, and nothing of theirs stays."""

import getpass
import json
import os
import sys

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from remediation.actuators.run_command import RunCommand
from remediation.refusal import CallRefused
from remediation.targets.command import CommandTarget, TextParameter
from tests.waiting import wait_until
from watchkeeper.errors import NeverSent, Reason, UpstreamError

NUMBER = {"n": {"pattern": "[0-9]{1,3}"}}


def python(code, *arguments, **target):
    return CommandTarget(command=[sys.executable, "-c", code, *arguments], **target)


def perform(target, **parameters):
    return RunCommand("job", target, parameters).perform()


def test_a_program_gets_its_arguments_as_they_stand():
    code = "import sys, json; print(json.dumps(sys.argv[1:]))"
    target = python(code, "--keep={n}", "$(id); {n} > x", parameters=NUMBER)
    done = perform(target, n="12")
    assert json.loads(done.detail["output"]) == ["--keep=12", "$(id); 12 > x"]


def test_nothing_of_our_environment_reaches_it(monkeypatch):
    monkeypatch.setenv("WATCHKEEPER_SECRET", "hidden")
    target = python("import os; print(sorted(os.environ))", environment={"MODE": "night"})
    seen = perform(target).detail["output"]
    assert "WATCHKEEPER_SECRET" not in seen
    assert all(name in seen for name in ("LANG", "MODE", "PATH"))


def test_an_exit_code_other_than_zero_is_a_failure_with_its_last_line():
    with pytest.raises(UpstreamError, match="job ended with exit code 3: no room"):
        perform(python("import sys; print('trying'); print('no room', flush=True); sys.exit(3)"))


def test_a_program_that_does_not_end_is_killed_with_its_children(tmp_path):
    pids = tmp_path / "pids"
    script = f"sleep 600 & echo $$ $! >{pids}.new && mv {pids}.new {pids}; sleep 600"
    for limit_seconds in (1, 4, 16, 64):  # on a busy machine it may not come far in a second
        target = CommandTarget(command=["/bin/sh", "-c", script], time_limit=limit_seconds)
        told = f"was not through after {limit_seconds} s and was killed"
        with pytest.raises(UpstreamError, match=told) as ended:
            perform(target)
        assert ended.value.reason is Reason.TIMEOUT
        if pids.exists():
            break
    for pid in map(int, pids.read_text().split()):
        wait_until(lambda pid=pid: is_gone(pid), what=f"{pid} is gone")


def is_gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_child_that_holds_the_output_open_does_not_hold_us():
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid)\n"
    )
    pid = int(perform(python(code, time_limit=60)).detail["output"])
    wait_until(lambda: is_gone(pid), what="the child is gone")


def test_a_program_that_closes_its_output_is_waited_for():
    code = "import os, sys, time; os.close(1); os.close(2); time.sleep(0.2); os._exit(4)"
    with pytest.raises(UpstreamError, match="exit code 4: it said nothing"):
        perform(python(code))


def test_only_the_end_of_a_long_output_is_kept():
    code = "print('x' * 3_000_000 + 'the end', end='')"
    output = perform(python(code, maximum_output_bytes=100)).detail["output"]
    assert output == "x" * 93 + "the end"


def test_a_program_that_is_not_there_was_never_started():
    with pytest.raises(NeverSent, match="/nowhere/rotate could not be started"):
        perform(CommandTarget(command=["/nowhere/rotate"]))


def test_a_user_that_is_not_there_is_a_failure():
    with pytest.raises(NeverSent, match=r"could not be started: .*nobody-here"):
        perform(python("", user="nobody-here"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a program as somebody else")
def test_it_runs_as_the_user_named_with_no_group_of_ours():
    target = CommandTarget(command=["/usr/bin/id"], user="nobody")
    assert "root" not in perform(target).detail["output"]


def test_it_runs_as_ourselves_unless_told_otherwise():
    target = CommandTarget(command=["/usr/bin/id", "-un"])
    assert perform(target).detail["output"].strip() == getpass.getuser()


def test_a_preview_shows_the_command_and_runs_nothing(tmp_path):
    target = CommandTarget(command=["/usr/bin/touch", f"{tmp_path}/{{n}}"], parameters=NUMBER)
    told = RunCommand("job", target, {"n": "1"}).preview().summary
    assert told == f"would run /usr/bin/touch {tmp_path}/1"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "parameters", [{}, {"n": 1}, {"n": "1234"}, {"n": "1\n"}, {"n": "-1"}, {"n": "1", "m": "2"}]
)
def test_a_parameter_that_is_not_allowed_is_refused(parameters):
    with pytest.raises(CallRefused, match=r"parameters\."):
        RunCommand("job", python("", "{n}", parameters=NUMBER), parameters)


@given(st.text())
def test_no_text_becomes_an_option_or_breaks_a_line_whatever_the_pattern(text):
    if TextParameter(pattern="(?s).*").allows(text):
        assert not text.startswith("-")
        assert text.isprintable()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"command": ["rotate"]}, "absolute path"),
        ({"command": ["/bin/{n}"], "parameters": NUMBER}, "absolute path"),
        ({"command": ["/bin/rotate", "{n}"]}, "no other: n"),
        ({"command": ["/bin/rotate"], "parameters": NUMBER}, "no other: n"),
        ({"command": ["/bin/x", "{n}"], "parameters": {"n": {"pattern": "["}}}, "not a regular"),
    ],
)
def test_a_target_that_cannot_work_is_a_mistake_in_the_file(target, expected):
    with pytest.raises(ValidationError, match=expected):
        CommandTarget.model_validate(target)
