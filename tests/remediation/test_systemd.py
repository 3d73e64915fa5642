"""Units of systemd, through a systemctl that keeps a unit in a file and refuses what systemd would.

A manager of its own cannot be started beside the machine's, and a container has none.
"""

import json
import stat
import sys

import pytest
from pydantic import ValidationError

from remediation.actuators.restart_service import RestartService
from remediation.deed import OutcomeUnknown
from remediation.runtimes import systemd
from remediation.targets.service import RestartTarget
from watchkeeper.errors import NeverSent, UpstreamError

STAND_IN = """#!{python}
import json, pathlib, sys, time
file = pathlib.Path({file!r})
words = [word for word in sys.argv[1:] if word not in ("--no-ask-password", "--no-pager")]
if words[:1] == ["--user"]:
    sys.exit("Failed to connect to bus: No medium found")
verb, *rest = words
unit = rest[rest.index("--") + 1]
state = json.loads(file.read_text())
if verb == "restart":
    if state.get(unit, {{}}).get("hangs"):
        time.sleep(600)
    if unit not in state:
        print(f"Failed to restart {{unit}}: Unit {{unit}} not found.", file=sys.stderr)
        sys.exit(5)
    state[unit]["InvocationID"] += "1"
    state[unit].update(state[unit].pop("after", {{}}))
    file.write_text(json.dumps(state))
elif verb == "show":
    wanted = rest[0].removeprefix("--property=").split(",")
    absent = dict(LoadState="not-found", ActiveState="inactive", SubState="dead",
                  InvocationID="", Result="success")
    for name in wanted:
        print(f"{{name}}={{state.get(unit, absent)[name]}}")
else:
    sys.exit(f"Unknown command verb {{verb}}.")
"""

RUNNING = {
    "LoadState": "loaded", "ActiveState": "active", "SubState": "running",
    "InvocationID": "9f3a", "Result": "success",
}  # fmt: skip


@pytest.fixture
def units(tmp_path, monkeypatch):
    """Write the units there are; return what they are now."""
    program, file = tmp_path / "systemctl", tmp_path / "units.json"
    program.write_text(STAND_IN.format(python=sys.executable, file=str(file)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(systemd, "SYSTEMCTL", str(program))

    def write(**found):
        file.write_text(json.dumps({f"{name}.service": unit for name, unit in found.items()}))
        return lambda: json.loads(file.read_text())

    return write


def actuator(unit="shop.service", **changes):
    allowed = RestartTarget.model_validate({"systemd": {"unit": unit, **changes}})
    return RestartService("shop", allowed, {})


def test_a_unit_is_restarted_and_seen_to_be_a_new_start(units):
    units(shop=RUNNING)
    done = actuator().perform()
    assert done.summary == "restarted shop.service"
    assert done.detail == {"before": {"shop.service": "9f3a"}, "after": {"shop.service": "9f3a1"}}


def test_a_unit_that_comes_up_and_fails_is_no_success(units):
    failed = {"ActiveState": "failed", "SubState": "failed", "Result": "exit-code"}
    units(shop={**RUNNING, "after": failed})
    with pytest.raises(UpstreamError, match=r"failed \(failed\), result exit-code"):
        actuator().perform()


def test_a_preview_restarts_nothing(units):
    now = units(shop=RUNNING)
    told = actuator().preview().summary
    assert told == "would restart shop.service (active (running), result success)"
    assert now()["shop.service"]["InvocationID"] == "9f3a"


def test_a_unit_that_is_not_there_is_named(units):
    units()
    with pytest.raises(UpstreamError, match=r"no unit shop\.service: not-found"):
        actuator().perform()


def test_what_systemctl_says_is_passed_on(units):
    units(shop=RUNNING)
    with pytest.raises(UpstreamError, match="Failed to connect to bus"):
        actuator(user=True).perform()


def test_a_start_that_takes_longer_than_allowed_may_still_come_to_its_end(units):
    units(shop={**RUNNING, "hangs": True})
    acting = actuator()

    def have_little_time(_sentence):  # only from here on: on a busy machine to look takes a while
        acting._runtime._limit_seconds = 0.1

    with pytest.raises(OutcomeUnknown, match="was not through"):
        acting.perform(have_little_time)


def test_without_systemd_nothing_was_done(units, monkeypatch, tmp_path):
    units(shop=RUNNING)
    monkeypatch.setattr(systemd, "SYSTEMCTL", str(tmp_path / "no-systemctl"))
    with pytest.raises(NeverSent, match="could not be started"):
        actuator().perform()


def test_a_restart_that_systemd_refuses_was_not_done(units):
    """The unit is removed by somebody between the look and the restart."""
    units(shop=RUNNING)
    with pytest.raises(UpstreamError, match="not found") as failure:
        actuator().perform(lambda _sentence: units())
    assert not isinstance(failure.value, OutcomeUnknown)


@pytest.mark.parametrize("unit", ["--all", "shop", "shop.service; reboot", ""])
def test_a_name_that_is_none_is_refused_when_it_is_read(unit):
    with pytest.raises(ValidationError):
        RestartTarget.model_validate({"systemd": {"unit": unit}})


def test_a_service_runs_in_one_place():
    with pytest.raises(ValidationError, match="only one of systemd and container"):
        RestartTarget.model_validate({"systemd": {"unit": "a.service"}, "container": {"name": "a"}})
