"""The doors are shut unless opened, and then only to who holds the key."""

import logging

import pytest
from werkzeug.test import Client

from watchkeeper.instrument import Instrumentation
from watchkeeper.instrument.control import GARBAGE_COLLECTION, HEAP_SNAPSHOT, LOG_LEVEL

TOKEN = "a token that nobody could guess"


def ask(
    method="POST", token=TOKEN, address="127.0.0.1", control_token=TOKEN, path=GARBAGE_COLLECTION,
    **asked,
):  # fmt: skip
    client = Client(Instrumentation("shop").pages(control_token=control_token))
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    origin = {"REMOTE_ADDR": address} if address else {}
    return client.open(path, method=method, headers=headers, environ_base=origin, **asked)


def test_without_a_token_there_is_no_such_page():
    assert ask(control_token="").status_code == 404


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_who_holds_the_token_on_this_machine_may_collect(address):
    answer = ask(address=address)
    assert answer.status_code == 200
    assert answer.json["seconds"] > 0
    assert answer.json["resident_bytes_after"] > 0


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "", "unix:"])
def test_another_machine_may_not_even_with_the_token(address):
    assert ask(address=address).status_code == 403


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", "ünïcode"])
def test_without_the_right_token_nothing_is_done(token):
    assert ask(token=token).status_code == 401


@pytest.mark.parametrize("path", [GARBAGE_COLLECTION, HEAP_SNAPSHOT, LOG_LEVEL])
def test_every_door_has_the_same_lock(path):
    assert ask(path=path, token="wrong").status_code == 401
    assert ask(path=path, address="192.0.2.7").status_code == 403
    assert ask(path=path, control_token="").status_code == 404


class Hoarded:
    __slots__ = ("room",)


def test_a_snapshot_names_the_types_that_fill_the_memory():
    hoard = [Hoarded() for _ in range(20_000)]
    for one in hoard:
        one.room = hoard
    answer = ask(path=HEAP_SNAPSHOT).json
    [row] = [row for row in answer["types"] if row["type"].endswith("Hoarded")]
    assert row["count"] == 20_000
    assert row["bytes"] >= 20_000 * 16
    assert answer["objects"] > 20_000


def test_looking_at_a_log_level_changes_nothing_and_setting_it_does():
    logger = logging.getLogger("shop.checkout")
    logger.setLevel(logging.WARNING)
    asked = {"query_string": {"logger": "shop.checkout"}}
    found = ask("GET", path=LOG_LEVEL, **asked).json
    assert (found["level"], logger.level) == ("WARNING", logging.WARNING)
    told = ask(path=LOG_LEVEL, json={"logger": "shop.checkout", "level": "DEBUG"}).json
    assert (told["in_force"], logger.level) == ("DEBUG", logging.DEBUG)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"logger": "shop.chekout", "level": "DEBUG"}, "none called 'shop.chekout'"),
        ({"logger": "", "level": "LOUD"}, "expected one of"),
        ({"logger": 1, "level": "DEBUG"}, "expected a name"),
        ([], "expected a JSON object"),
    ],
)
def test_what_is_no_logger_or_level_is_refused(asked, told):
    answer = ask(path=LOG_LEVEL, json=asked)
    assert answer.status_code == 422
    assert told in answer.json["error"]
    assert "shop.chekout" not in logging.Logger.manager.loggerDict


def test_other_methods_are_refused():
    assert ask(method="DELETE").status_code == 405


def test_a_token_that_could_be_guessed_is_refused_when_the_application_starts():
    with pytest.raises(ValueError, match="at least 24 characters"):
        Instrumentation("shop").pages(control_token="letmein")
