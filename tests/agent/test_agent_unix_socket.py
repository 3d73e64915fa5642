"""A password goes only to a Unix socket whose server is who it should be."""

import os
import pwd
import socket
import subprocess
import sys

import pytest

from agent import unix_socket
from agent.mysql.session import Session as MysqlSession
from agent.postgres.session import Session as PostgresSession
from watchkeeper.errors import Reason, UpstreamError

STRANGER = 54321

LISTEN = f"""
import os, socket, sys
if os.geteuid() == 0:
    os.setuid({STRANGER})
listener = socket.socket(fileno=int(sys.argv[1]))
listener.listen()
print("listening", flush=True)
while True:
    connection, _ = listener.accept()
    print(connection.recv(1000), flush=True)
"""


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """Makes a socket of a user who is nobody to us; calling it returns all that was sent there."""
    with socket.socket(socket.AF_UNIX) as listener:
        path = tmp_path / ".s.PGSQL.5432"
        listener.bind(str(path))
        descriptor = listener.fileno()
        process = subprocess.Popen(
            [sys.executable, "-c", LISTEN, str(descriptor)],
            pass_fds=[descriptor], stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    if os.geteuid() != 0:  # the other can be nobody but us: trust root alone
        monkeypatch.setattr(unix_socket, "_trusted", lambda *_: {0})
    assert process.stdout.readline() == "listening\n"

    def heard():
        process.terminate()
        return process.stdout.read()

    yield path, heard
    process.kill()
    process.wait(20)
    process.stdout.close()


def refused(session, **place):
    with pytest.raises(UpstreamError, match="belongs to user") as caught:
        session(user="u", password="S3cr3t", timeout_seconds=1.0, **place)
    return caught.value.reason


def test_a_strangers_postgresql_is_told_nothing(stranger):
    path, heard = stranger
    place = {"host": str(path.parent), "port": 5432, "database": "d"}
    assert refused(PostgresSession, **place) is Reason.PERMISSION
    assert heard() in ("", "b''\n")


def test_a_strangers_mysql_is_told_nothing(stranger):
    path, heard = stranger
    assert refused(MysqlSession, host=str(path), port=3306) is Reason.PERMISSION
    assert heard() in ("", "b''\n")


@pytest.mark.parametrize("why", ["it is us", "the directory is theirs", "such servers run as them"])
def test_who_listens_is_trusted_for_any_one_reason(stranger, monkeypatch, why):
    path, _ = stranger
    account = "nobody-of-that-name"
    if os.geteuid() != 0:  # the other can be nobody but us: then there is one reason only
        monkeypatch.undo()
    elif why == "it is us":
        monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    elif why == "the directory is theirs":
        os.chown(path.parent, STRANGER, -1)
    else:
        account = "postgres"
        known = {account: pwd.struct_passwd((account, "", STRANGER, 0, "", "", ""))}
        monkeypatch.setattr(pwd, "getpwnam", known.__getitem__)
    unix_socket.connected(str(path), account, 1.0).close()


def test_a_socket_of_our_own_is_trusted(tmp_path):
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        unix_socket.connected(path, "nobody-of-that-name", 1.0).close()
