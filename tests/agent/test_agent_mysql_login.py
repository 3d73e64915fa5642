"""The password itself is sent to no MySQL server whose name nothing proves."""

import socket
import ssl
import struct
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymysql._auth import scramble_caching_sha2

from agent.mysql.login import scrambled
from agent.mysql.session import Session
from tests.agent.authority import Authority
from watchkeeper.errors import Reason, UpstreamError

CAN_EVERYTHING, TLS = 0xFFFF, 0x0800
PASSWORD = "S3cr3t"
NONCE = b"a" * 8 + b"b" * 12
NATIVE, SHA2 = b"mysql_native_password", b"caching_sha2_password"
OK = bytes([0, 0, 0, 2, 0, 0, 0])


def packet(number, body):
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


def greeting(method, lacking=0):
    """What a server says first: that it can do everything, but for what it lacks."""
    return packet(
        0,
        b"\x0a8.0.36\0" + bytes(4) + NONCE[:8] + b"\0"
        + struct.pack("<HBHHB", CAN_EVERYTHING & ~lacking, 45, 2, CAN_EVERYTHING, 21)
        + bytes(10) + NONCE[8:] + b"\0" + method + b"\0",
    )  # fmt: skip


def ask(listener, answers, heard):
    connection, _ = listener.accept()
    with connection:
        for answer in answers:
            connection.sendall(answer)
            heard.append(connection.recv(1000))
        while more := connection.recv(1000):
            heard.append(more)


def told_to(*answers, tls="disable"):
    """What is said to a server with these answers, and what came of it."""
    return told_by(ask, answers, tls=tls)


def told_by(ask, *arguments, **options):
    """What is said to a server that asks so, and what came of it."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=ask, args=[listener, *arguments, heard])
        thread.start()
        with pytest.raises(UpstreamError) as caught:
            Session(
                host="127.0.0.1", port=listener.getsockname()[1], user="watcher",
                password=PASSWORD, timeout_seconds=60.0, **options,
            )  # fmt: skip
        thread.join()
    return b"".join(heard), caught.value


SWITCH = b"\xfe%b\0" + NONCE + b"\0"
WANTS_PASSWORD = b"\x01\x04"


@pytest.mark.parametrize(
    "answers",
    [
        (greeting(NATIVE), packet(2, b"\xfemysql_clear_password\0\x02Password: ")),
        (greeting(NATIVE), packet(2, b"\xfedialog\0\x02Password: ")),
        (greeting(NATIVE), packet(2, SWITCH % b"sha256_password")),
        (greeting(b"sha256_password"), packet(2, b"\x01a public key")),
        (greeting(SHA2), packet(2, WANTS_PASSWORD)),
        (greeting(NATIVE), packet(2, SWITCH % SHA2), packet(4, WANTS_PASSWORD)),
    ],
    ids=["clear", "dialog", "to-sha256", "sha256", "caching-sha2", "to-caching-sha2"],
)
def test_a_server_that_asks_for_the_password_itself_does_not_get_it(answers):
    heard, error = told_to(*answers)
    assert error.reason is Reason.AUTHENTICATION
    assert "in clear text" in str(error)
    # It did log in, and did not take the TLS of a server that proves nothing.
    assert b"watcher" in heard
    assert PASSWORD.encode() not in heard


def ask_over_tls(listener, context, heard):
    """Ask for the password in clear text over TLS."""
    connection, _ = listener.accept()
    with connection:
        connection.sendall(greeting(NATIVE))
        connection.recv(4 + 32, socket.MSG_WAITALL)  # the wish for TLS
        with context.wrap_socket(connection, server_side=True) as encrypted:
            heard.append(encrypted.recv(1000))
            encrypted.sendall(packet(3, b"\xfemysql_clear_password\0"))
            heard.append(encrypted.recv(1000))
            if heard[-1]:
                encrypted.sendall(packet(5, b"\xff\x15\x04#28000enough"))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize(
    ("tls", "trusted_by", "is_shown"),
    [
        ("verify-ca", "system", False),
        ("verify-ca", "file", True),
        ("verify", "system", True),
    ],
)
def test_an_authority_that_signs_for_everybody_does_not_prove_who_asks(
    authority, monkeypatch, tls, trusted_by, is_shown
):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("anybody"))
    place = {"certificates": str(authority.certificate)}
    if trusted_by == "system":
        monkeypatch.setenv("SSL_CERT_FILE", place.pop("certificates"))
    heard, error = told_by(ask_over_tls, context, tls=tls, **place)
    assert b"watcher" in heard  # it was trusted enough to log in
    assert (PASSWORD.encode() in heard) is is_shown
    assert ("in clear text" in str(error)) is not is_shown
    assert error.reason is Reason.AUTHENTICATION


def test_a_server_that_remembers_the_password_is_shown_a_scrambled_one():
    heard, error = told_to(
        greeting(NATIVE),
        packet(2, SWITCH % SHA2),
        packet(4, b"\x01\x03") + packet(5, OK),
        packet(1, b"\xff\x15\x04#28000enough"),
    )
    assert scramble_caching_sha2(PASSWORD.encode(), NONCE) in heard
    assert b"SET NAMES" in heard  # it is let in
    assert "enough" in str(error)


def test_a_server_without_tls_is_told_nothing_where_it_is_to_prove_itself():
    heard, error = told_to(greeting(NATIVE, lacking=TLS), tls="verify")
    assert heard == b""
    assert "SSL is required" in str(error)
    assert error.reason is Reason.CONNECTION


@given(st.binary(max_size=40), st.binary(min_size=20, max_size=20))
def test_passwords_are_scrambled_as_the_driver_does(password, nonce):
    assert scrambled(password, nonce) == scramble_caching_sha2(password, nonce)
