"""The kill switch and the incident list speak to the stack that is meant, and to no other."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from tests.supervisor.stacks import RunningSupervisor, server
from watchkeeper.errors import Refused
from watchkeeper.operate import alerting_of, audit, incident, pause, resume

LONG_ID = "inc-cfb167d29c5a4e0f9b1d2c3e4f5a6b7c"


@pytest.fixture
def stack(tmp_path, monkeypatch):
    monkeypatch.delenv("WATCHKEEPER_ALERTING_URL", raising=False)
    with RunningSupervisor(tmp_path / "data", alerting=server()).running() as running:
        yield running


def test_the_alerting_of_the_stack_on_the_data_directory_is_asked(stack):
    assert alerting_of(stack.data_dir, {}).base_url == stack.one("alerting").url


def test_an_address_in_the_environment_comes_first(stack):
    environment = {"WATCHKEEPER_ALERTING_URL": "http://elsewhere:1/"}
    assert alerting_of(stack.data_dir, environment).base_url == "http://elsewhere:1"


def test_without_either_nothing_is_guessed_and_both_ways_are_named(tmp_path, monkeypatch):
    monkeypatch.delenv("WATCHKEEPER_ALERTING_URL", raising=False)
    with pytest.raises(Refused) as refused:
        alerting_of(tmp_path)
    for named in (str(tmp_path), "--data-dir", "WATCHKEEPER_ALERTING_URL"):
        assert named in str(refused.value)
    arguments = ["--reason", "r", "--data-dir", str(tmp_path)]
    assert isinstance(CliRunner().invoke(pause, arguments).exception, Refused)


def test_a_stack_without_alerting_says_so(tmp_path):
    with (
        RunningSupervisor(tmp_path, web=server()).running(),
        pytest.raises(Refused, match="runs no alerting"),
    ):
        alerting_of(tmp_path, {})


def test_an_incident_is_listed_with_its_whole_id_however_narrow_the_output(monkeypatch):
    entry = {"id": LONG_ID, "status": "open", "severity": "warning", "service": "taskboard",
             "started_at": "2026-01-01T00:00:00.000Z", "title": "A long title " * 5}  # fmt: skip
    with answering({"incidents": [entry]}) as url:
        monkeypatch.setenv("WATCHKEEPER_ALERTING_URL", url)
        result = CliRunner().invoke(incident, ["list"], env={"COLUMNS": "80"})
    assert result.exit_code == 0
    assert LONG_ID in result.output


PAUSES = [
    {"scope": "everything", "name": "", "by": "ana", "reason": "storm", "until": None},
    {"scope": "rule", "name": "restart", "by": "ben", "reason": "too eager",
     "until": "2026-01-01T02:00:00.000Z"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "arguments", "asked"),
    [
        (pause, ["--reason", "r"], ["/api/v1/pause", {"reason": "r", "by": "ana"}]),
        (
            pause,
            ["--reason", "r", "--rule", "restart", "--for", "2h"],
            ["/api/v1/pause", {"reason": "r", "by": "ana", "rule": "restart", "duration": "2h"}],
        ),
        (
            resume,
            ["--target", "db:5432"],
            ["/api/v1/resume", {"reason": "", "by": "ana", "target": "db:5432"}],
        ),
    ],
)
def test_the_switch_is_asked_for_what_was_named_and_says_what_is_paused_now(
    monkeypatch, command, arguments, asked
):
    posted = []
    in_flight = [{"action": "restart-service", "target": "web"}]
    with answering({"pauses": PAUSES, "in_flight": in_flight}, posted) as url:
        monkeypatch.setenv("WATCHKEEPER_ALERTING_URL", url)
        result = CliRunner().invoke(command, [*arguments, "--by", "ana"])
    assert posted == [asked]
    assert result.output.splitlines() == [
        "everything paused by ana: storm",
        "rule restart paused until 2026-01-01T02:00:00.000Z by ben: too eager",
        "already under way: restart-service on web",
    ]


LAST = {"seq": 7, "at": "2026-01-01T00:00:00.000Z", "hash": "ab12"}


@pytest.mark.parametrize(
    ("found", "exit_code", "told"),
    [
        ({"newest": LAST}, 0, "the audit holds up to entry 7 of 2026-01-01T00:00:00.000Z: ab12"),
        ({"newest": LAST, "contains": True}, 0, "the audit holds up to entry 7"),
        ({"newest": None}, 0, "the audit is empty"),
        ({"newest": LAST, "contains": False}, 1, "entry ff00 is gone"),
        (
            {"newest": LAST, "holds": False, "first_break": {"seq": 3, "reason": "was changed"}},
            1,
            "the audit does not hold from entry 3 on: was changed",
        ),
    ],
)
def test_the_audit_is_verified_with_an_exit_code_for_programs(monkeypatch, found, exit_code, told):
    with answering({"holds": True, "first_break": None, "contains": None, **found}) as url:
        monkeypatch.setenv("WATCHKEEPER_ALERTING_URL", url)
        result = CliRunner().invoke(audit, ["verify", "--contains", "ff00"])
    assert result.exit_code == exit_code
    assert told in result.output


@contextlib.contextmanager
def answering(body, posted=None):
    """Serve ``body`` as JSON to whoever asks, on a free port; note in ``posted`` what is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            posted.append([self.path, json.loads(self.rfile.read(length))])
            self.do_GET()

        def do_GET(self):
            text = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
