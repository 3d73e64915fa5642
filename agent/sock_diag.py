"""TCP sockets as the kernel's diagnostic socket tells of them (sock_diag(7))."""

from __future__ import annotations

import socket
import struct
from collections import Counter
from typing import NamedTuple

from agent.netlink import (
    ANSWER_BYTES,
    HEADER,
    NLM_F_DUMP,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    NUMBER,
    TIMEOUT_SECONDS,
    messages,
)

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY = 4, 20
"""Numbers of linux/netlink.h and linux/sock_diag.h."""

ALL_STATES = 0xFFFFFFFF

REQUEST = struct.Struct("=BBBxI48x")
"""Family, protocol, extensions, states and no particular socket (struct inet_diag_req_v2)."""

ANSWER = struct.Struct("=xB2x48x4xII")
"""State and lengths of the queues (struct inet_diag_msg)."""


class Sockets(NamedTuple):
    """Sockets by state, as numbered by the kernel, and the bytes that wait in their queues."""

    states: Counter[int]
    received_bytes: int
    unsent_bytes: int


def read_tcp_sockets() -> Sockets:
    """Return the TCP sockets of our network namespace; raise OSError when refused."""
    states: Counter[int] = Counter()
    received = unsent = 0
    for family in (socket.AF_INET, socket.AF_INET6):
        for body in _asked(family):
            state, waiting, unacknowledged = ANSWER.unpack_from(body)
            states[state] += 1
            received += waiting
            unsent += unacknowledged
    return Sockets(states, received, unsent)


def _asked(family: int) -> list[bytes]:
    question = REQUEST.pack(family, socket.IPPROTO_TCP, 0, ALL_STATES)
    flags = NLM_F_REQUEST | NLM_F_DUMP
    head = HEADER.pack(HEADER.size + len(question), SOCK_DIAG_BY_FAMILY, flags, 1, 0)
    bodies: list[bytes] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(TIMEOUT_SECONDS)
        kernel.send(head + question)
        while True:
            for kind, body in messages(kernel.recv(ANSWER_BYTES)):
                if kind == NLMSG_DONE:
                    return bodies
                if kind == NLMSG_ERROR:
                    raise OSError(-NUMBER.unpack_from(body)[0], "the diagnostic socket refused")
                bodies.append(body)
