"""A service is probed as its users meet it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.collectors.probe import ProbeCollector
from agent.probe.body import compiled
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probed_services import Parrot, chain_in, serving
from tests.agent.probes import Page

DAY_SECONDS = 86_400


@pytest.fixture(scope="module")
def port():
    with serving() as port:
        yield port


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return chain_in(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def tls_port(certificates):
    with serving("localhost", certificates=certificates) as port:
        yield port


def probed(
    url, *, expect_status=(), expect_body="", timeout_seconds=5.0, authority="", follow=True
):
    collector = ProbeCollector(
        url=url,
        expect_status=expect_status,
        expect_body=expect_body,
        timeout_seconds=timeout_seconds,
        follow_redirects=follow,
        certificates=str(authority),
    )
    families = list(collector.collect())
    collector.close()
    return Page(text_of(Renderer().render(families), TextFormat.PROMETHEUS))


def test_a_service_that_answers_is_told_with_its_phases(port):
    page = probed(f"http://127.0.0.1:{port}/")
    assert page.value("probe_success", target=f"http://127.0.0.1:{port}/") == 1
    assert page.value("probe_http_status_code") == 200
    assert page.value("probe_http_content_length") == 16
    assert page.value("probe_http_uncompressed_body_length") == 16
    assert page.value("probe_http_version") == 1.1
    assert page.value("probe_http_ssl") == 0
    assert page.value("probe_ip_protocol") == 4
    assert page.value("probe_http_duration_seconds", phase="processing") > 0
    assert page.value("probe_http_duration_seconds", phase="tls") == 0
    assert page.value("probe_duration_seconds") > 0
    assert page.value("probe_ssl_earliest_cert_expiry") is None


@pytest.mark.parametrize(
    ("path", "expectations", "success"),
    [
        ("/204", {}, 1),
        ("/404", {}, 0),
        ("/404", {"expect_status": [404]}, 1),
        ("/200", {"expect_body": '"status": "ok"'}, 1),
        ("/200", {"expect_body": "degraded"}, 0),
        ("/redirect/3", {"expect_body": "ok"}, 1),
        ("/redirect/3", {"expect_status": [302]}, 1),
        ("/redirect/3", {"follow": False}, 0),
        ("/redirect/10", {}, 1),
        ("/redirect/11", {}, 0),
        ("/away/gopher", {}, 0),
        ("/away/no-port", {}, 0),
        ("/away/no-address", {}, 0),
        ("/away/no-name", {}, 0),
        ("/away/dot", {}, 0),
        ("/away/umlaut", {"expect_body": "ok"}, 1),
        ("/away/blank", {"expect_body": "ok"}, 1),
        ("/größe", {}, 1),
    ],
)
def test_success_is_what_is_expected(port, path, expectations, success):
    page = probed(f"http://127.0.0.1:{port}{path}", **expectations)
    assert page.value("probe_success") == success
    assert page.value("probe_failed_due_to_regex") == ("degraded" in str(expectations))


@pytest.mark.parametrize(
    ("path", "followed", "status"),
    [("/", 0, 200), ("/redirect/3", 3, 200), ("/redirect/11", 11, 302)],
)
def test_redirects_are_counted_and_not_followed_for_ever(port, path, followed, status):
    page = probed(f"http://127.0.0.1:{port}{path}")
    assert page.value("probe_http_redirects") == followed
    assert page.value("probe_http_status_code") == status


@pytest.mark.parametrize("scheme", ["http", "tcp", "https", "tls"])
def test_a_service_that_is_not_there_is_a_failure_not_an_error(scheme):
    page = probed(f"{scheme}://127.0.0.1:1")
    assert page.value("probe_success") == 0
    assert page.value("probe_duration_seconds") >= 0


def test_a_service_that_says_nothing_is_given_up_on(silent_port):
    page = probed(f"http://127.0.0.1:{silent_port}/", timeout_seconds=0.2)
    assert page.value("probe_success") == 0
    assert page.value("probe_http_status_code") == 0


@pytest.mark.parametrize("scheme", ["https", "tls"])
def test_a_service_that_never_ends_its_handshake_is_given_up_on(silent_port, scheme):
    page = probed(f"{scheme}://127.0.0.1:{silent_port}/", timeout_seconds=0.2)
    assert page.value("probe_success") == 0
    assert page.value("probe_ssl_earliest_cert_expiry") is None


def test_a_service_that_sends_a_byte_now_and_then_is_given_up_on_as_well(port):
    page = probed(f"http://127.0.0.1:{port}/drip", timeout_seconds=0.5)
    assert page.value("probe_success") == 0
    assert page.value("probe_duration_seconds") >= 0.5
    assert page.value("probe_http_duration_seconds", phase="processing") > 0


@pytest.fixture(scope="module")
def parrot():
    parrot = Parrot()
    yield parrot
    parrot.close()


starts = st.sampled_from([b"HTTP/1.1 302 x", b"HTTP/9.9 200 x", b"HTTP/1.0 999 x", b"HTTP/1.1"])
places = st.sampled_from(
    [b"//", b"http://a:b/", b"http://[1", b"http://%00/", b"http://a\xef\xbc\x8fb/", b"tls://.x/"]
)
headers = st.sampled_from(
    [b"Transfer-Encoding: chunked", b"Content-Length: -1", b"Last-Modified: 1 Jan 0001", b":"]
)


@given(
    start=starts | st.binary(max_size=20),
    place=places | st.binary(max_size=20),
    more=st.lists(headers, max_size=2),
    body=st.binary(max_size=20),
)
@settings(deadline=None, max_examples=100)
def test_whatever_a_target_answers_its_success_or_failure_is_told(parrot, start, place, more, body):
    parrot.answer = b"\r\n".join([start, b"Location: " + place, *more, b"", body])
    page = probed(f"http://127.0.0.1:{parrot.port}/", timeout_seconds=0.5)
    assert page.value("probe_success") in (0, 1)


def test_a_long_line_that_does_not_match_is_not_tried_for_minutes(port):
    page = probed(
        f"http://127.0.0.1:{port}/long", expect_body='.*"status":"ok".*', timeout_seconds=5.0
    )
    assert page.value("probe_failed_due_to_regex") == 1
    assert page.value("probe_duration_seconds") < 5.0


def test_a_body_of_any_bytes_can_be_matched():
    assert compiled("gr(ö|oe)ße").search(b"\xff\x00gr\xc3\xb6\xc3\x9fe\xff")
    assert not compiled("(?i)^ok$").search(b"\xffOK")


def test_a_name_that_does_not_resolve_is_a_failure():
    page = probed("http://nowhere.invalid/")
    assert page.value("probe_success") == 0
    assert page.value("probe_ip_protocol") is None


def test_a_port_that_takes_connections_is_enough_for_tcp(silent_port):
    page = probed(f"tcp://127.0.0.1:{silent_port}")
    assert page.value("probe_success") == 1
    assert page.value("probe_http_status_code") is None


@pytest.mark.parametrize("scheme", ["https", "tls"])
def test_the_certificate_that_ends_first_tells_until_when(tls_port, certificates, scheme):
    page = probed(f"{scheme}://localhost:{tls_port}", authority=certificates.authority)
    assert page.value("probe_success") == 1
    assert page.value("probe_tls_version_info", version="TLS 1.3") == 1
    first_end = page.value("probe_ssl_earliest_cert_expiry")
    assert first_end - time.time() == pytest.approx(20 * DAY_SECONDS, abs=DAY_SECONDS)
    assert first_end == page.value("probe_ssl_last_chain_expiry_timestamp_seconds")


def test_a_certificate_nobody_vouches_for_is_a_failure(tls_port):
    page = probed(f"https://localhost:{tls_port}/")
    assert page.value("probe_success") == 0
    assert page.value("probe_ssl_earliest_cert_expiry") is None
