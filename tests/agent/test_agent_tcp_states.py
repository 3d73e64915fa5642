"""TCP sockets are counted by state, as the kernel itself tells them."""

import contextlib
import socket
from collections import Counter
from pathlib import Path

from agent.collectors.tcp_states import STATES, TcpStatesCollector
from agent.sock_diag import Sockets, read_tcp_sockets
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probes import Page

SOCKETS = 200


def page_of(**options):
    collector = TcpStatesCollector(**options)
    page = Page(text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS))
    collector.close()
    return page


def value(page, state):
    return page.value("node_tcp_connection_states", state=state)


def test_every_state_is_told_also_one_nobody_is_in():
    page = page_of(read=lambda: Sockets(Counter({1: 3, 3: 1, 12: 4, 10: 2}), 5, 6))
    assert value(page, "established") == 3
    assert value(page, "syn_recv") == 5
    assert value(page, "closing") == 0
    assert value(page, "rx_queued_bytes") == 5
    assert value(page, "tx_queued_bytes") == 6
    assert len(page.labels("node_tcp_connection_states")) == len(STATES) + 2


def test_real_sockets_are_counted_of_either_family():
    with contextlib.ExitStack() as stack:
        before = read_tcp_sockets().states[STATES["listen"]]
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            if family == socket.AF_INET6 and not Path("/proc/net/if_inet6").exists():
                continue
            for _ in range(SOCKETS):
                server = stack.enter_context(socket.socket(family))
                server.bind((address, 0))
                server.listen()
        # Other programs of the machine come and go meanwhile, but not by the dozen.
        assert read_tcp_sockets().states[STATES["listen"]] >= before + SOCKETS - 50


def test_bytes_nobody_took_are_told():
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(server.getsockname()))
        accepted, _ = server.accept()
        stack.enter_context(accepted)
        client.sendall(b"x" * 5000)
        accepted.recv(1, socket.MSG_PEEK)
        page = page_of()
    assert value(page, "rx_queued_bytes") >= 1
    assert value(page, "established") >= 2
