"""Every log line is one JSON object."""

import io
import json
import logging

import pytest

from tests.alerting.loopback import LoopbackServer, Reply
from watchkeeper import logs
from watchkeeper.outbound import EgressPolicy, send


@pytest.fixture
def stream():
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    logs.configure("example", stream=stream)
    yield stream
    root.handlers[:], root.level = before[0], before[1]


def test_a_record_becomes_one_line_with_its_extras(stream):
    logs.get_logger("room.file").warning("slow\nanswer", extra={"seconds": 1.5})
    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert entry["msg"] == "slow\nanswer"
    assert (entry["level"], entry["service"], entry["seconds"]) == ("warning", "example", 1.5)


def test_a_command_tells_its_user_in_one_plain_line(stream):
    plain = io.StringIO()
    logs.configure_for_people(stream=plain)
    logs.get_logger("room").warning("slow", extra={"seconds": 1.5, "detail": "two\nlines"})
    logs.get_logger("room").info("of no interest")
    assert plain.getvalue() == "slow: seconds 1.5, detail two lines\n"


def test_an_exception_stays_on_the_same_line(stream):
    try:
        int("broken")
    except ValueError:
        logs.get_logger("room").exception("failed")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: invalid literal" in json.loads(line)["exception"]


def test_an_extra_that_is_not_json_is_still_logged(stream):
    logs.get_logger("room").info("odd", extra={"thing": object()})
    assert "object" in json.loads(stream.getvalue())["thing"]


@pytest.mark.parametrize(
    "configure",
    [
        lambda stream: logs.configure("example", level="debug", stream=stream),
        lambda stream: logs.configure_for_people(stream=stream),
    ],
    ids=["a service", "a command"],
)
def test_the_path_of_a_webhook_is_not_logged_whatever_its_receiver_answers(stream, configure):
    configure(stream)
    malformed = Reply(headers={"A header without a body\r\nX": "y"})
    with LoopbackServer(lambda _request: malformed) as server:
        answer = send(
            "POST", f"{server.url}/services/T0/sesame", body=b"{}",
            policy=EgressPolicy.parse(["127.0.0.0/8"]),
        )  # fmt: skip
    assert answer.status == 200
    assert "sesame" not in stream.getvalue()
