"""PostgreSQL's protocol: every way of login, also encrypted, and no peer that can break us."""

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.incoming import MAX_ANSWER_BYTES
from agent.postgres.login import Scram
from agent.postgres.passwords import left_password, password_in
from agent.postgres.session import Session, parse_version
from agent.postgres.wire import MAX_ROWS
from tests.agent.authority import Authority
from tests.agent.postgres_server import PostgresServer
from watchkeeper.errors import Reason, UpstreamError

PASSWORD = "pä ss'wörd"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = PostgresServer(tmp_path_factory.mktemp("wire"), 17)  # the wheel of 18 has no TLS
    yield server
    server.stop()


def session_of(server, **changes):
    arguments = {
        "host": "127.0.0.1",
        "port": server.port,
        "database": "postgres",
        "user": "visitor",
        "password": PASSWORD,
        "timeout_seconds": 2.0,
    }
    return Session(**(arguments | changes))


def let_in_by(server, kind, method):
    (server.cluster / "pg_hba.conf").write_text(
        f"host all postgres 127.0.0.1/32 trust\n{kind} all all 127.0.0.1/32 {method}\n"
    )
    encryption = "md5" if method == "md5" else "scram-sha-256"
    with server.connect() as connection:
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("DROP ROLE IF EXISTS visitor")
        connection.execute(f"SET password_encryption = '{encryption}'")
        connection.execute("CREATE ROLE visitor LOGIN PASSWORD " + quoted(PASSWORD))


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def answer(session):
    try:
        return session.ask("SELECT current_user AS me")[0]["me"]
    finally:
        session.close()


@pytest.mark.live
@pytest.mark.parametrize("method", ["trust", "md5", "scram-sha-256"])
def test_every_usual_way_of_login_lets_us_in_with_the_right_password_only(server, method):
    let_in_by(server, "host", method)
    assert answer(session_of(server)) == "visitor"
    if method != "trust":
        for wrong in ("", "wrong"):
            with pytest.raises(UpstreamError) as caught:
                session_of(server, password=wrong)
            assert caught.value.reason is Reason.AUTHENTICATION


def speak_tls(server, directory):
    """Have the server speak TLS, and return the authority that vouches for it."""
    authority = Authority(directory)
    certificate, key = authority.sign("database")
    server.execute(f"ALTER SYSTEM SET ssl_cert_file = '{certificate}'")
    server.execute(f"ALTER SYSTEM SET ssl_key_file = '{key}'")
    server.execute("ALTER SYSTEM SET ssl = on")
    return str(authority.certificate)


@pytest.mark.live
def test_the_password_itself_is_sent_to_none_but_a_server_that_proves_who_it_is(server, tmp_path):
    authority = speak_tls(server, tmp_path)
    let_in_by(server, "host", "password")
    with pytest.raises(UpstreamError, match="in clear text") as caught:
        session_of(server)
    assert caught.value.reason is Reason.AUTHENTICATION
    assert answer(session_of(server, tls="verify", certificates=authority)) == "visitor"
    for changes in ({"host": "localhost"}, {"certificates": ""}):  # another name, no authority
        with pytest.raises(UpstreamError, match="certificate verify failed"):
            session_of(server, **({"tls": "verify", "certificates": authority} | changes))


@pytest.mark.live
def test_where_tls_is_to_be_verified_a_server_without_it_is_none(server):
    server.execute("ALTER SYSTEM SET ssl = off")
    let_in_by(server, "host", "trust")
    with pytest.raises(UpstreamError, match="has no TLS"):
        session_of(server, tls="verify")


@pytest.mark.live
def test_a_server_that_insists_on_encryption_gets_it(server, tmp_path):
    speak_tls(server, tmp_path)
    let_in_by(server, "hostssl", "scram-sha-256")
    session = session_of(server)
    (row,) = session.ask("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    session.close()
    assert row["ssl"] is True


@pytest.mark.live
def test_values_come_as_what_they_are(server):
    session = session_of(server, user="postgres")
    (row,) = session.ask(
        "SELECT 1::bigint AS a, 1.5::numeric AS b, 'x;y'::text AS c, NULL::text AS d, true AS e, "
        "'{3,4}'::int[] AS f, timestamptz '2026-01-02 03:04:05.5+00' AS g, 'NaN'::float AS h, "
        "'é'::name AS i, '{}'::int[] AS j"
    )
    session.close()
    assert (row["a"], row["b"], row["c"], row["d"], row["e"]) == (1, 1.5, "x;y", None, True)
    assert (row["f"], row["j"], row["i"]) == ([3, 4], [], "é")
    assert row["g"].timestamp() == 1767323045.5
    assert row["h"] != row["h"]


@pytest.mark.live
def test_after_a_refused_statement_the_connection_goes_on(server):
    session = session_of(server, user="postgres")
    with pytest.raises(UpstreamError, match="does not exist") as caught:
        session.ask("SELECT * FROM nowhere")
    assert caught.value.reason is Reason.BAD_ANSWER
    assert not session.is_lost
    assert answer(session) == "postgres"


def test_the_proof_is_that_of_the_specification():
    """The example of RFC 7677, section 3; there the user is named in the first message."""
    scram = Scram("pencil", "rOprNGfwEbeRWgbNEkqO")
    scram._bare = "n=user,r=rOprNGfwEbeRWgbNEkqO"
    final = scram.proof(
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    assert final.endswith("p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    scram.check("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    with pytest.raises(UpstreamError, match="could not prove"):
        scram.check("v=AAAA")


@pytest.mark.parametrize("challenge", ["", "r=x,s=AA==,i=1", "r=n1,s=AA==,i=99999999", "r=n1,i=x"])
def test_a_challenge_that_makes_no_sense_is_not_answered(challenge):
    with pytest.raises(UpstreamError):
        Scram("password", "n").proof(challenge)


messages = st.tuples(
    st.sampled_from([b"R", b"E", b"S", b"T", b"D", b"Z", b"N", b"K", b"C", b"x"]),
    st.one_of(st.binary(max_size=24), st.just(bytes(4)), st.just(b"I")),
).map(lambda parts: parts[0] + struct.pack("!I", len(parts[1]) + 4) + parts[1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(messages, st.binary(max_size=12)), max_size=6).map(b"".join))
def test_whatever_a_peer_says_is_an_explained_failure(script):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_say, args=[listener, script])
        thread.start()
        try:
            with pytest.raises(UpstreamError):  # a server it is not, whatever it says
                talk_to(listener.getsockname()[1])
        finally:
            thread.join()


def talk_to(port):
    place = {"host": "127.0.0.1", "port": port, "database": "d", "user": "u", "password": "p"}
    Session(**place, timeout_seconds=1.0).ask("SELECT 1")


def _say(listener, script):
    connection, _ = listener.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(script)


def message(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


LET_IN = message(b"R", bytes(4)) + message(b"Z", b"I")


@pytest.mark.parametrize(
    "flood",
    [
        message(b"T", bytes(2)) + message(b"D", bytes(2)) * (MAX_ROWS + 1),
        message(b"N", b"x" * (1 << 20)) * 17,
        b"D" + struct.pack("!I", MAX_ANSWER_BYTES + 4),
    ],
    ids=["rows", "bytes in all", "one message"],
)
def test_no_answer_takes_more_of_us_than_one_may(flood):
    with (
        _server_that_says(LET_IN, flood) as port,
        pytest.raises(UpstreamError, match="more than") as caught,
    ):
        talk_to(port)
    assert caught.value.reason is Reason.BAD_ANSWER


@pytest.mark.parametrize("greeting", [b"", LET_IN], ids=["at the login", "at a question"])
def test_a_server_that_never_comes_to_an_end_has_the_time_of_one_answer(greeting):
    with (
        _server_that_says(greeting, message(b"N", b"x"), forever=True) as port,
        pytest.raises(UpstreamError) as caught,
    ):
        talk_to(port)
    assert caught.value.reason is Reason.TIMEOUT


@contextlib.contextmanager
def _server_that_says(greeting, script, *, forever=False):
    """A server that says the greeting, then the script when asked again, perhaps without end."""
    ended = threading.Event()

    def serve():
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(1000)
            if greeting:
                connection.sendall(greeting)
                connection.recv(1000)
            connection.sendall(script)
            while forever and not ended.wait(0.02):
                connection.sendall(script)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            thread.join()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("18.6", 180006), ("15.18 (Debian 15.18-0+deb12u1)", 150018), ("9.6.24", 90624),
        ("10.23", 100023), ("19beta2", 190000),
    ],
)  # fmt: skip
def test_a_version_is_the_number_the_server_has_for_it(text, number):
    assert parse_version(text) == number


def test_watching_loads_nothing_heavy():
    """A client library, TLS and hashing cost more memory than all our questions."""
    loaded = "import agent.collectors.postgres, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, check=True, text=True
    )
    assert not {"psycopg", "ssl", "asyncio", "hashlib"} & set(done.stdout.split())


FILE = "# comment\ndb1:5432:orders:bob:one\n*:*:*:al\\:ice:t\\:wo\nlocalhost:*:*:*:three\n"


@pytest.mark.parametrize(
    ("place", "password"),
    [
        (("db1", "5432", "orders", "bob"), "one"),
        (("db1", "5433", "orders", "bob"), ""),
        (("db9", "1", "x", "al:ice"), "t:wo"),
        (("localhost", "1", "x", "y"), "three"),
    ],
)
def test_the_password_file_is_read_as_libpq_reads_it(place, password):
    assert password_in(FILE, place) == password


def test_a_password_file_that_others_may_read_is_left_alone(tmp_path):
    file = tmp_path / "passwords"
    file.write_text(FILE)
    environment = {"PGPASSFILE": str(file), "HOME": os.devnull, "PGPASSWORD": ""}
    file.chmod(0o644)
    assert left_password(environment, "/run/postgresql", 5432, "d", "u") == ""
    file.chmod(0o600)
    assert left_password(environment, "/run/postgresql", 5432, "d", "u") == "three"


@pytest.mark.parametrize(
    ("named", "host", "port", "is_meant"),
    [
        ({}, "/run/postgresql", 5432, True),
        ({}, "127.0.0.1", 5432, True),
        ({}, "/tmp", 5999, False),
        ({}, "db1", 5432, False),
        ({"PGHOST": "db1"}, "db1", 5432, True),
        ({"PGHOST": "db1"}, "/run/postgresql", 5432, False),
        ({"PGHOST": "db1", "PGPORT": "6000"}, "db1", 6000, True),
        ({"PGHOST": "db1", "PGPORT": "6000"}, "db1", 5432, False),
    ],
)
def test_the_password_of_the_environment_goes_where_the_environment_says(
    named, host, port, is_meant
):
    environment = named | {"PGPASSWORD": "secret"}
    found = left_password(environment, host, port, "d", "u")
    assert found == ("secret" if is_meant else "")
