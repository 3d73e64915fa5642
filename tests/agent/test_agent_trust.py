"""Authorities that are renewed while the agent runs are trusted without a restart."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agent.collector import CollectionFailed
from agent.collectors.probe import ProbeCollector
from agent.collectors.rabbitmq import RabbitmqCollector
from agent.text import Renderer, TextFormat, text_of
from agent.trust import Trust
from tests.agent.authority import Authority
from tests.agent.probed_services import chain_in, serving
from tests.agent.probes import Page
from watchkeeper.errors import Reason


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return chain_in(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def port(certificates):
    with serving("localhost", certificates=certificates) as port:
        yield port


class Refusing(BaseHTTPRequestHandler):
    """Knows no page."""

    def do_GET(self):
        self.send_error(404)

    def log_message(self, *_):
        pass


@pytest.fixture
def stranger(certificates):
    """The port of a server over TLS that is no RabbitMQ."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.chain, certificates.key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def trusted(tmp_path):
    """A file with the authority of strangers."""
    file = tmp_path / "trusted.pem"
    file.write_bytes(Authority(tmp_path, "strangers").certificate.read_bytes())
    return file


def is_good(probe):
    page = Page(text_of(Renderer().render(list(probe.collect())), TextFormat.PROMETHEUS))
    return page.value("probe_success")


def test_a_probe_trusts_whom_the_file_names_now(port, certificates, trusted):
    probe = ProbeCollector(
        url=f"https://localhost:{port}/", expect_status=(), expect_body="",
        timeout_seconds=30.0, certificates=str(trusted),
    )  # fmt: skip
    assert is_good(probe) == 0
    trusted.write_bytes(certificates.authority.read_bytes())
    assert is_good(probe) == 1
    trusted.unlink()
    assert is_good(probe) == 0
    trusted.write_bytes(certificates.authority.read_bytes())
    assert is_good(probe) == 1


def failure_of(collector):
    """Why nothing is told; the value of ``rabbitmq_up`` that is told all the same."""
    with pytest.raises(CollectionFailed) as failed:
        list(collector.collect())
    (up,) = failed.value.families
    return failed.value.reason, up.samples[0][1]


def test_rabbitmq_is_asked_when_the_file_names_whom_it_trusts(stranger, certificates, trusted):
    collector = RabbitmqCollector(
        url=f"https://localhost:{stranger}", user="u", password="p", queues=1, task_queues=(),
        certificates=str(trusted), timeout_seconds=30.0,
    )  # fmt: skip
    assert failure_of(collector) == (Reason.CONNECTION, 0)
    trusted.unlink()
    assert failure_of(collector) == (Reason.CONNECTION, 0)
    trusted.write_bytes(certificates.authority.read_bytes())
    # Now it is talked to, and turns out to be another kind of server.
    assert failure_of(collector) == (Reason.HTTP_STATUS, 0)
    collector.close()


def test_authorities_that_did_not_change_are_read_once(trusted):
    trust = Trust(str(trusted))
    context = trust.context()
    assert trust.context() is context
    trusted.write_bytes(trusted.read_bytes())
    assert trust.context() is not context
