"""The password itself is sent to no MySQL server whose name nothing proves."""

import socket
import struct
import threading

import pytest

from agent.mysql.session import Session
from watchkeeper.errors import Reason, UpstreamError

CAN_EVERYTHING = 0xFFFF


def packet(number, body):
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


GREETING = packet(
    0,
    b"\x0a8.0.36\0" + bytes(4) + b"a" * 8 + b"\0"
    + struct.pack("<HBHHB", CAN_EVERYTHING & ~0x0800, 45, 2, CAN_EVERYTHING, 21)
    + bytes(10) + b"b" * 12 + b"\0mysql_native_password\0",
)  # fmt: skip


@pytest.mark.parametrize("method", [b"mysql_clear_password", b"dialog"])
def test_a_server_that_asks_for_the_password_in_clear_text_does_not_get_it(method):
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=ask, args=[listener, method, heard])
        thread.start()
        with pytest.raises(UpstreamError, match="in clear text") as caught:
            Session(
                host="127.0.0.1", port=listener.getsockname()[1], user="u", password="S3cr3t",
                timeout_seconds=1.0,
            )  # fmt: skip
        thread.join()
    assert caught.value.reason is Reason.AUTHENTICATION
    assert heard[0]  # it did log in
    assert b"S3cr3t" not in b"".join(heard)


def ask(listener, method, heard):
    connection, _ = listener.accept()
    with connection:
        connection.sendall(GREETING)
        heard.append(connection.recv(1000))
        connection.sendall(packet(2, b"\xfe" + method + b"\0\x02Password: "))
        while more := connection.recv(1000):
            heard.append(more)
