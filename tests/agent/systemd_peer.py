"""A peer that answers as systemd does over D-Bus, on a bus or without one.

It speaks through jeepney, so that what our own code writes and reads is not judged by itself.
"""

from __future__ import annotations

import os
import socketserver
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jeepney import HeaderFields, MessageType, new_error, new_method_return
from jeepney.low_level import Parser

SYSTEMD = "org.freedesktop.systemd1"
UNITS_PATH = "/org/freedesktop/systemd1/unit/"

SYSTEM = {"Version": "252.38-1~deb12u1", "SystemState": "degraded", "Virtualization": "kvm"}


class Unit:
    """One unit: its states, and the properties of its own kind."""

    def __init__(
        self, name: str, active: str = "active", load: str = "loaded", **properties: Any
    ) -> None:
        self.name = name
        self.active = active
        self.load = load
        self.path = UNITS_PATH + name.replace(".", "_2e").replace("-", "_2d").replace("@", "_40")
        self.properties = {key: value for key, value in properties.items() if value is not None}

    def row(self):
        return (self.name, "Described", self.load, self.active, "sub", "", self.path, 0, "", "/")


class SystemdPeer:
    """Listens on a Unix socket.

    Attributes:
        asked: (path, member, arguments) of every call, in order.
    """

    def __init__(self, path: Path, units: Sequence[Unit], system: Any = SYSTEM) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.units = {unit.path: unit for unit in units}
        self.system = system
        self.asked = []
        peer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                peer.serve(self.request)

        self._server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def serve(self, connection):
        lines = connection.makefile("rb", buffering=0)
        while (line := lines.readline()) != b"BEGIN\r\n":
            if not line:
                return
            connection.sendall(self.greeting(line))
        parser = Parser()
        serial = 0
        while data := connection.recv(65536):
            parser.add_data(data)
            while (message := parser.get_next_message()) is not None:
                if message.header.message_type is not MessageType.method_call:
                    continue
                serial += 1
                answer = self.answer(message)
                if answer is None:
                    return
                connection.sendall(answer.serialise(serial=serial))

    def greeting(self, line):
        user = str(os.geteuid()).encode().hex().encode()
        words = line.strip(b"\0\r\n").split()
        if words == [b"AUTH", b"EXTERNAL"]:
            return b"DATA\r\n"
        # Without a name the kernel's word of who is there counts.
        if words in ([b"AUTH", b"EXTERNAL", user], [b"DATA", user], [b"DATA"]):
            return b"OK 1234deadbeef\r\n"
        if words == [b"NEGOTIATE_UNIX_FD"]:
            return b"AGREE_UNIX_FD\r\n"
        return b"REJECTED EXTERNAL\r\n"

    def answer(self, message):
        fields = message.header.fields
        path, member = fields[HeaderFields.path], fields[HeaderFields.member]
        self.asked.append((path, member, message.body))
        if member == "Hello":
            return new_method_return(message, "s", (":1.7",))
        if member == "ListUnits":
            rows = [unit.row() for unit in self.units.values()]
            return new_method_return(message, "a(ssssssouso)", (rows,))
        if member == "Get":
            return self.property(message, path, *message.body)
        return new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "s", (member,))

    def property(self, message, path, interface, name):
        found = self.system if interface == f"{SYSTEMD}.Manager" else self.units[path].properties
        if name not in found:
            error = "org.freedesktop.DBus.Error.UnknownProperty"
            return new_error(message, error, "s", (name,))
        value = found[name]
        signature = "s" if isinstance(value, str) else "t" if name.endswith("USec") else "u"
        return new_method_return(message, "v", ((signature, value),))
