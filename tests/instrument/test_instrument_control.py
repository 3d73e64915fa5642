"""The door to the collector is shut unless opened, and then only to who holds the key."""

import pytest
from werkzeug.test import Client

from watchkeeper.instrument import Instrumentation
from watchkeeper.instrument.control import PATH

TOKEN = "a token that nobody could guess"


def ask(method="POST", token=TOKEN, address="127.0.0.1", control_token=TOKEN):
    client = Client(Instrumentation("shop").pages(control_token=control_token))
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    origin = {"REMOTE_ADDR": address} if address else {}
    return client.open(PATH, method=method, headers=headers, environ_base=origin)


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


def test_other_methods_are_refused():
    assert ask(method="DELETE").status_code == 405


def test_a_token_that_could_be_guessed_is_refused_when_the_application_starts():
    with pytest.raises(ValueError, match="at least 24 characters"):
        Instrumentation("shop").pages(control_token="letmein")
