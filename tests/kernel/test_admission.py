"""One rule says who may ask a service."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.admission import refusal


def ask(path="/metrics", *, host="127.0.0.1:8301", authorization="", origin="", token=None):
    return refusal(path, host=host, authorization=authorization, origin=origin, token=token)


@pytest.mark.parametrize("host", ["localhost", "localhost:8301", "127.0.0.1:8301", "[::1]:8301"])
def test_this_machine_is_admitted_on_loopback(host):
    assert ask(host=host) is None
    assert ask(host=host, origin=f"http://{host}") is None


@pytest.mark.parametrize("host", ["", "evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::1"])
def test_a_name_that_is_not_this_machine_is_refused(host):
    assert ask(host=host).status == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "file://"])
def test_a_page_of_another_origin_is_refused(origin):
    assert ask(origin=origin).status == 403


def test_with_a_token_only_the_token_counts():
    assert ask(host="metrics.example", authorization="Bearer s3cret", token="s3cret") is None
    assert ask(authorization="Bearer other", token="s3cret").status == 401
    assert ask(token="s3cret").status == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_open_to_whoever_can_reach_it(path):
    assert ask(path, host="container", token="s3cret") is None


@given(host=st.text(), authorization=st.text(), origin=st.text())
def test_no_header_however_odd_breaks_the_rule(host, authorization, origin):
    answer = ask(host=host, authorization=authorization, origin=origin, token="s3cret")
    assert (answer is None) == (authorization == "Bearer s3cret")
    ask(host=host, authorization=authorization, origin=origin)
