"""Every log line is one JSON object."""

import io
import json
import logging

import pytest

from watchkeeper import logs


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
