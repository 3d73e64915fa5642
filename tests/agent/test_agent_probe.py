"""A service is probed as its users meet it."""

import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agent.collectors.probe import ProbeCollector
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probes import Page


class Service(BaseHTTPRequestHandler):
    """Answers with the status in its path."""

    def do_GET(self):
        body = b'{"status": "ok"}'
        self.send_response(int(self.path.strip("/") or 200))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serving(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def port():
    yield from serving(ThreadingHTTPServer(("127.0.0.1", 0), Service))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so no certificate can be made")
    directory = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
            "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost",
        ],
        cwd=directory, check=True, capture_output=True,
    )  # fmt: skip
    return directory


@pytest.fixture(scope="module")
def tls_port(certificate):
    server = ThreadingHTTPServer(("localhost", 0), Service)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield from serving(server)


def probed(url, *, expect_status=(), expect_body="", timeout_seconds=5.0, certificates=""):
    collector = ProbeCollector(
        url=url,
        expect_status=expect_status,
        expect_body=expect_body,
        timeout_seconds=timeout_seconds,
        certificates=str(certificates),
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
    assert page.value("probe_http_version") == 1.0
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
    ],
)
def test_success_is_what_is_expected(port, path, expectations, success):
    page = probed(f"http://127.0.0.1:{port}{path}", **expectations)
    assert page.value("probe_success") == success
    assert page.value("probe_failed_due_to_regex") == ("degraded" in str(expectations))


@pytest.mark.parametrize("scheme", ["http", "tcp", "https", "tls"])
def test_a_service_that_is_not_there_is_a_failure_not_an_error(scheme):
    page = probed(f"{scheme}://127.0.0.1:1")
    assert page.value("probe_success") == 0
    assert page.value("probe_duration_seconds") >= 0


def test_a_service_that_says_nothing_is_given_up_on(silent_port):
    page = probed(f"http://127.0.0.1:{silent_port}/", timeout_seconds=0.2)
    assert page.value("probe_success") == 0
    assert page.value("probe_http_status_code") == 0


def test_a_name_that_does_not_resolve_is_a_failure():
    page = probed("http://nowhere.invalid/")
    assert page.value("probe_success") == 0
    assert page.value("probe_ip_protocol") is None


def test_a_port_that_takes_connections_is_enough_for_tcp(silent_port):
    page = probed(f"tcp://127.0.0.1:{silent_port}")
    assert page.value("probe_success") == 1
    assert page.value("probe_http_status_code") is None


@pytest.mark.parametrize("scheme", ["https", "tls"])
def test_a_certificate_tells_when_it_ends(tls_port, certificate, scheme):
    page = probed(f"{scheme}://localhost:{tls_port}", certificates=certificate / "cert.pem")
    assert page.value("probe_success") == 1
    assert page.value("probe_ssl_earliest_cert_expiry") > 1.7e9
    assert page.value("probe_tls_version_info", version="TLSv1.3") == 1


def test_a_certificate_nobody_vouches_for_is_a_failure(tls_port):
    assert probed(f"https://localhost:{tls_port}/").value("probe_success") == 0
