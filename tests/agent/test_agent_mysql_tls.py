"""MySQL's protocol is spoken over TLS where that is asked for, with a server that proves itself."""

import contextlib

import pytest

from agent.collector import CollectionFailed
from agent.collectors.mysql import MysqlCollector
from agent.text import Renderer, TextFormat, text_of
from tests.agent.authority import Authority
from tests.agent.mysql_server import MysqlServer
from tests.agent.probes import Page
from watchkeeper.errors import Reason

pytestmark = pytest.mark.live

PASSWORD = "S3cr3t"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    directory = tmp_path_factory.mktemp("authority")
    directory.chmod(0o755)
    return Authority(directory)


@pytest.fixture(scope="module")
def server(tmp_path_factory, authority):
    certificate, key = authority.sign("db.internal")
    key.chmod(0o644)  # the server has a user of its own
    server = MysqlServer(
        tmp_path_factory.mktemp("mysql"), f"--ssl-cert={certificate}", f"--ssl-key={key}"
    )
    server.execute(
        f"CREATE USER watcher@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;"
        "GRANT PROCESS ON *.* TO watcher@'127.0.0.1'"
    )
    yield server
    server.stop()


def told(server, **options):
    """What is told of the server, or why nothing is."""
    collector = MysqlCollector(
        **{"host": "127.0.0.1"} | options, port=server.port, user="watcher", password=PASSWORD,
        statements=0, tables=0, timeout_seconds=10.0, slow_interval_seconds=0.0,
    )  # fmt: skip
    with contextlib.closing(collector):
        families = list(collector.collect())
    return Page(text_of(Renderer().render(families), TextFormat.PROMETHEUS))


@pytest.mark.parametrize("tls", ["verify", "verify-ca"])
def test_a_server_that_proves_itself_is_watched_over_tls(server, authority, tls):
    page = told(server, tls=tls, certificates=str(authority.certificate))
    assert page.value("mysql_up") == 1
    assert page.value("mysql_global_status_ssl_accepts") >= 1


def test_a_server_that_wants_tls_refuses_us_without(server):
    with pytest.raises(CollectionFailed, match="Access denied") as refused:
        told(server)
    assert refused.value.reason is Reason.AUTHENTICATION
    assert [family.samples[0][1] for family in refused.value.families] == [0]


@pytest.mark.parametrize("tls", ["verify", "verify-ca"])
def test_a_server_of_another_authority_is_not_talked_to(server, tmp_path, tls):
    stranger = Authority(tmp_path, "strangers")
    with pytest.raises(CollectionFailed, match="CERTIFICATE_VERIFY_FAILED") as refused:
        told(server, tls=tls, certificates=str(stranger.certificate))
    assert refused.value.reason is Reason.CONNECTION


def test_a_server_of_another_name_is_not_talked_to_unless_its_authority_is_enough(
    server, authority
):
    place = {"host": "localhost", "certificates": str(authority.certificate)}
    with pytest.raises(CollectionFailed, match="Hostname mismatch") as refused:
        told(server, tls="verify", **place)
    assert refused.value.reason is Reason.CONNECTION
    assert told(server, tls="verify-ca", **place).value("mysql_up") == 1


def test_authorities_that_cannot_be_read_are_told(server, tmp_path):
    with pytest.raises(CollectionFailed, match="No such file") as refused:
        told(server, tls="verify", certificates=str(tmp_path / "none.pem"))
    assert refused.value.reason is Reason.CONNECTION
