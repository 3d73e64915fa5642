"""TLS, passwords and client certificates, as Prometheus' web configuration file asks for them."""

import base64
import http.client
import ssl
import subprocess
import sys
from urllib.parse import urlsplit

import bcrypt
import pytest

from agent.files_together import problems_in
from agent.web.configuration import read_web_configuration
from agent.web.front import Front
from agent.web.pages import Pages
from agent.web.passwords import Login, Passwords, parse_basic
from agent.web.server import Server
from tests.agent.authority import Authority
from tests.agent.running_agent import RunningAgent
from tests.agent.running_prometheus import RunningPrometheus
from tests.waiting import wait_until
from watchkeeper.clock import SystemClock
from watchkeeper.errors import ConfigError
from watchkeeper.health import Readiness
from watchkeeper.listen import Listen

AGENT = "interval: 200ms\ndiscover: false\nhost: {collectors: [load]}\n"
PASSWORD = "correct horse"
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
TLS = "tls_server_config:\n  cert_file: agent.pem\n  key_file: agent.key\n"
MUTUAL = TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: tests-ca.pem\n"
USERS = f"basic_auth_users:\n  prometheus: {HASH}\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("authority"))
    authority.sign("agent")
    authority.sign("prometheus")
    return authority


@pytest.fixture
def write(tmp_path, authority):
    """Write the web configuration beside certificates."""
    for file in authority.directory.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "agent.yml").write_text(AGENT)

    def write(text):
        (tmp_path / "web.yml").write_text(text)
        return tmp_path / "web.yml"

    return write


class Served:
    """A page behind the front that ``web_config`` asks for."""

    def __init__(self, web_config, token=None, host="127.0.0.1"):
        pages = Pages(Readiness(), lambda *_, **__: b"a page")
        listen = Listen(host, 0)
        self.front = Front(pages.answer, web_config, token, listen, SystemClock())
        self.server = Server(listen, self.front.welcome)
        self.server.start()
        port = self.server.address.rpartition(":")[2]
        self.url = f"{self.front.scheme}://127.0.0.1:{port}"

    def is_good(self):
        """Whether the file was taken up, as the metrics say."""
        values = {family.metric.name: family.samples for family in self.front.families()}
        return values["watchkeeper_config_last_reload_successful"] == [(("web.yml",), 1)]


@pytest.fixture
def serve(write):
    served = []

    def serve(text, **options):
        served.append(Served(write(text), **options))
        return served[-1]

    yield serve
    for one in served:
        one.server.stop()


def ask(running, authority=None, path="/metrics", *, client=None, **headers):
    """Return the status and headers of an answer, and the certificate that was shown."""
    url = urlsplit(running.url)
    if url.scheme == "https":
        context = ssl.create_default_context(cafile=authority.certificate)
        if client:
            context.load_cert_chain(
                authority.directory / f"{client}.pem", authority.directory / f"{client}.key"
            )
        connection = http.client.HTTPSConnection(url.hostname, url.port, context=context)
    else:
        connection = http.client.HTTPConnection(url.hostname, url.port)
    try:
        connection.request("GET", path, headers=headers)
        shown = connection.sock.getpeercert() if url.scheme == "https" else {}
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    return answer.status, answer.headers, shown


def basic(password, user="prometheus"):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_without_a_good_password_nobody_is_let_in(serve):
    running = serve(USERS)
    assert ask(running, Authorization=basic(PASSWORD))[0] == 200
    status, headers, _ = ask(running)
    assert (status, headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
    for wrong in (basic("guess"), basic(PASSWORD, "mallory"), "Basic nonsense", "Bearer x"):
        assert ask(running, Authorization=wrong)[0] == 401
    assert ask(running, path="/healthz")[0] == 200


def test_the_token_is_let_in_beside_the_users(serve):
    running = serve(USERS, token="s3cret")
    assert ask(running, Authorization="Bearer s3cret")[0] == 200
    assert ask(running, Authorization=basic(PASSWORD))[0] == 200
    assert ask(running, Authorization="Bearer other")[0] == 401


def test_it_speaks_tls_with_the_certificate_of_the_file(serve, authority):
    running = serve(TLS)
    assert running.url.startswith("https://")
    status, _, shown = ask(running, authority)
    assert status == 200
    assert ("DNS", "agent") in shown["subjectAltName"]


def test_the_headers_of_the_file_are_sent(serve):
    running = serve("http_server_config: {headers: {X-Frame-Options: deny}}\n")
    assert ask(running)[1]["X-Frame-Options"] == "deny"


def test_only_a_client_with_a_certificate_of_the_authority_is_let_in(serve, authority, tmp_path):
    running = serve(MUTUAL)
    assert ask(running, authority, client="prometheus")[0] == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(running, authority)


def test_only_a_client_of_an_allowed_name_is_let_in(serve, authority):
    running = serve(MUTUAL + "  client_allowed_sans: [prometheus]\n")
    assert ask(running, authority, client="prometheus")[0] == 200
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        ask(running, authority, client="agent")


def test_a_new_certificate_and_new_passwords_are_taken_up_without_a_restart(
    serve, authority, write, tmp_path
):
    running = serve(TLS + USERS)
    renewed, key = authority.sign("renewed")
    for name, file in (("agent.key", key), ("agent.pem", renewed)):
        (tmp_path / name).write_bytes(file.read_bytes())

    running.front.look_around()
    shown = ask(running, authority, "/healthz")[2]["subjectAltName"]
    assert "renewed" in [name for _, name in shown]
    changed = bcrypt.hashpw(b"another", bcrypt.gensalt(4)).decode()
    write(TLS + f"basic_auth_users: {{prometheus: {changed}}}\n")
    running.front.look_around()
    assert ask(running, authority, Authorization=basic("another"))[0] == 200
    assert ask(running, authority, Authorization=basic(PASSWORD))[0] == 401


def test_half_a_renewed_certificate_leaves_the_old_one_in_force(serve, authority, tmp_path):
    running = serve(TLS)
    renewed, key = authority.sign("renewed")
    (tmp_path / "agent.pem").write_bytes(renewed.read_bytes())
    running.front.look_around()
    assert not running.is_good()
    assert ask(running, authority)[0] == 200
    (tmp_path / "agent.key").write_bytes(key.read_bytes())
    running.front.look_around()
    assert running.is_good()
    assert ("DNS", "renewed") in ask(running, authority)[2]["subjectAltName"]


def test_a_bad_edit_leaves_everyone_out_who_was_out(serve, write):
    running = serve(USERS)
    assert running.is_good()
    write("basic_auth_users: {}\nnonsense: 1\n")
    running.front.look_around()
    assert not running.is_good()
    assert ask(running)[0] == 401


def test_an_edit_that_would_let_other_machines_in_unasked_is_refused(serve, write):
    running = serve(USERS, host="0.0.0.0")
    write("basic_auth_users: {}\n")
    running.front.look_around()
    assert not running.is_good()
    assert ask(running)[0] == 401


@pytest.mark.parametrize("text", ["", TLS])
def test_other_machines_are_served_only_when_they_are_asked_who_they_are(serve, text):
    with pytest.raises(ConfigError, match="without authentication"):
        serve(text, host="0.0.0.0")


def test_the_agent_s_own_file_may_name_it(write, tmp_path):
    write(USERS)
    config = tmp_path / "agent.yml"
    config.write_text(AGENT + "web_config: web.yml\n")
    running = RunningAgent(config)
    try:
        assert ask(running)[0] == 401
        told = running.get(Authorization=basic(PASSWORD)).read().decode()
        assert 'watchkeeper_config_last_reload_successful{file="web.yml"} 1' in told
    finally:
        running.stop()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("basic_auth_users:\n  bob: hunter2\n", "web.yml:2: basic_auth_users.bob: expected a bcr"),
        (f"basic_auth_users: {{bob: $2y$10${'-' * 53}}}\n", "expected a bcrypt hash"),
        (f"basic_auth_users: {{bob: $2y$10${'z' * 53}}}\n", "expected a bcrypt hash"),
        (f"basic_auth_users: {{bob: $2y$99${'.' * 53}}}\n", "expected a bcrypt hash"),
        ("tls_server_config:\n  cert_file: x.pem\n  key_file: agent.key\n", ":2: tls_server_confi"),
        (TLS.replace("agent.key", "prometheus.key"), ":2: tls_server_config.cert_file: cannot be"),
        (TLS + "  client_auth_type: RequestClientCert\n", ":4: tls_server_config.client_auth_type"),
        (TLS + "  client_auth_type: RequireAndVerifyClientCert\n", ":4: tls_server_config.client"),
        (TLS + "  client_ca_file: tests-ca.pem\n", "client_ca_file: expected a client_auth_type"),
        (TLS + "  min_version: TLS13\n  max_version: TLS12\n", ":4: tls_server_config.min_version"),
        (TLS + "  cipher_suites: [X]\n", ":4: tls_server_config.cipher_suites: unknown key"),
        ("tls_server_config:\n  cert_file: agent.pem\n", "tls_server_config.key_file: missing"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_key(write, text, problem):
    with pytest.raises(ConfigError) as told:
        read_web_configuration(write(text))
    assert problem in str(told.value)
    assert "hunter2" not in str(told.value)


def test_a_certificate_that_comes_after_the_edit_that_names_it_is_taken_up_when_it_comes(
    serve, authority, write, tmp_path
):
    running = serve(TLS)
    renewed, key = authority.sign("later", "not-yet-there")
    write(TLS.replace("agent", "not-yet"))
    running.front.look_around()
    assert not running.is_good()
    (tmp_path / "not-yet.pem").write_bytes(renewed.read_bytes())
    running.front.look_around()
    assert not running.is_good()  # its key is not there yet
    (tmp_path / "not-yet.key").write_bytes(key.read_bytes())
    running.front.look_around()
    assert running.is_good()
    assert ("DNS", "later") in ask(running, authority)[2]["subjectAltName"]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (TLS + USERS, []),
        (TLS.replace("agent.pem", "none.pem"), ["web.yml:2: tls_server_config.cert_file: expec"]),
        (TLS.replace("agent.key", "prometheus.key"), ["web.yml:2: tls_server_config.cert_file: c"]),
        ("basic_auth_users:\n  bob: hunter2\n", ["web.yml:2: basic_auth_users.bob: expected a b"]),
    ],
)
def test_checking_the_configuration_looks_into_the_file_that_it_names(
    write, tmp_path, text, problems
):
    write(text)
    (tmp_path / "agent.yml").write_text(AGENT + "web_config: web.yml\n")
    found = [str(problem) for problem in problems_in(tmp_path)]
    assert len(found) == len(problems)
    for told, expected in zip(found, problems, strict=True):
        assert told.startswith(f"{tmp_path}/{expected}")


def test_checking_the_configuration_misses_a_file_that_is_not_there(tmp_path):
    config = tmp_path / "agent.yml"
    config.write_text(AGENT + "web_config: web.yml\n")
    (problem,) = problems_in(tmp_path)
    line = len(AGENT.splitlines()) + 1
    assert str(problem).startswith(f"{config}:{line}: web_config: expected a file")


def test_nothing_starts_with_a_file_that_cannot_be_used(write, tmp_path):
    web_config = write("nonsense: 1\n")
    command = [sys.executable, "-m", "watchkeeper", "agent", "--config", tmp_path / "agent.yml"]
    done = subprocess.run(
        [*command, "--web-config", web_config], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"{web_config}:1: nonsense: unknown key" in done.stderr


def test_a_good_login_is_not_checked_twice_and_a_changed_one_is(monkeypatch):
    passwords, checked = Passwords(), []
    check = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *both: checked.append(both) or check(*both))
    login = Login("prometheus", PASSWORD.encode())
    assert all(passwords.are_good(login, {"prometheus": HASH}) for _ in range(3))
    assert len(checked) == 1
    other = bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode()
    assert not passwords.are_good(login, {"prometheus": other})
    assert not passwords.are_good(login, {})
    assert len(checked) == 3


@pytest.mark.parametrize(
    ("header", "login"),
    [
        ("Basic " + base64.b64encode("é:a:b".encode()).decode(), Login("é", b"a:b")),
        ("basic YTo=", Login("a", b"")),
        ("Basic", None),
        ("Basic YQ==", None),
        ("Basic /w==", None),
        ("Basic ?", None),
        ("Bearer YTo=", None),
    ],
)
def test_a_login_is_read_from_its_header_or_not_at_all(header, login):
    assert parse_basic(header) == login


PASSWORD_OVER_TLS = """\
    basic_auth: {username: prometheus, password: correct horse}
    tls_config: {ca_file: tests-ca.pem, server_name: agent}
"""
BOTH_CERTIFICATES = """\
    tls_config:
      {ca_file: tests-ca.pem, server_name: agent,
       cert_file: prometheus.pem, key_file: prometheus.key}
"""


@pytest.mark.live
@pytest.mark.parametrize(
    ("text", "options"),
    [(TLS + USERS, PASSWORD_OVER_TLS), (MUTUAL, BOTH_CERTIFICATES)],
    ids=["TLS and a password", "mutual TLS"],
)
def test_the_real_prometheus_scrapes_it(write, tmp_path, text, options):
    running = RunningAgent(tmp_path / "agent.yml", "--web-config", str(write(text)))
    scheme, _, target = running.url.partition("://")
    prometheus = RunningPrometheus(tmp_path, target, f"    scheme: {scheme}\n{options}")
    try:
        wait_until(lambda: prometheus.query("up == 1"), what="a good scrape")
        assert prometheus.query("node_load1")
    finally:
        prometheus.stop()
        running.stop()
