import os
import socket

import pytest

from tests.ports import free_ports
from watchkeeper.errors import Refused
from watchkeeper.supervisor import ports


def test_a_taken_port_is_named_with_its_purpose_and_the_process_that_holds_it():
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(
            Refused, match=rf"port {port}, needed by web, is held by .*{os.getpid()}"
        ):
            ports.require_free({port: "web"})


def test_every_taken_port_is_named_at_once():
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        wanted = {held.getsockname()[1]: "web" for held in (one, two)}
        with pytest.raises(Refused) as refused:
            ports.require_free(wanted)
    assert all(f"port {port}," in str(refused.value) for port in wanted)


def test_a_listener_on_every_interface_holds_the_port_too():
    with socket.create_server(("0.0.0.0", 0)) as held:
        assert ports.is_taken(held.getsockname()[1])


def test_free_ports_are_accepted():
    first = free_ports(3)
    ports.require_free(dict.fromkeys(range(first, first + 3), "web"))
