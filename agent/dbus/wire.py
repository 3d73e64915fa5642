"""D-Bus messages as bytes: calls with text arguments out, anything in (Specification 0.43)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

LARGEST_BYTES = 1 << 27
"""Of a message, by the specification."""

DEEPEST = 64
"""Of types inside types, by the specification: 32 arrays in 32 structures."""

METHOD_CALL, METHOD_RETURN, ERROR = 1, 2, 3
NO_AUTO_START = 0x2
"""Flag of a call: do not start the service that is asked."""

PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SIGNATURE = 1, 2, 3, 4, 5, 6, 8
"""Fields of a header."""

FIXED = {"y": "B", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d", "h": "I",
         "b": "I"}  # fmt: skip
"""Format by type, for those of one size."""

HEAD = 16
"""Bytes of a message up to its header fields."""


class MalformedMessage(Exception):  # noqa: N818  # it names what came
    """What came is no message of D-Bus."""


class Call(NamedTuple):
    """One question. All arguments are text; ``destination`` is empty without a bus between."""

    path: str
    interface: str
    member: str
    arguments: Sequence[str] = ()
    destination: str = ""


class Message(NamedTuple):
    """What came in.

    Attributes:
        kind: ``METHOD_RETURN``, ``ERROR`` or one of no interest.
        reply_serial: of the call it answers; 0 for none.
        error: name of an error, else empty.
        body: the arguments; variants as their values.
    """

    kind: int
    reply_serial: int
    error: str
    body: list[Any]


def encode_call(call: Call, serial: int) -> bytes:
    """Return the bytes of a call; ``serial`` (>= 1) is what its answer will name."""
    body = b""
    for argument in call.arguments:
        body = _padded(body, 4) + _text(argument)
    fields = [(PATH, "o", call.path), (INTERFACE, "s", call.interface), (MEMBER, "s", call.member)]
    if call.destination:
        fields.append((DESTINATION, "s", call.destination))
    if call.arguments:
        fields.append((SIGNATURE, "g", "s" * len(call.arguments)))
    packed = b""
    for code, kind, value in fields:
        packed = _padded(packed, 8) + bytes([code, 1, ord(kind), 0])
        packed += _signature(value) if kind == "g" else _text(value)
    head = struct.pack(
        "<cBBBIII", b"l", METHOD_CALL, NO_AUTO_START, 1, len(body), serial, len(packed)
    )
    return _padded(head + packed, 8) + body


def size_of(head: bytes) -> int:
    """Return the length of the message that begins with ``head``, its first 16 bytes.

    Raises:
        MalformedMessage: it is none.
    """
    order = {b"l": "<", b"B": ">"}.get(head[:1])
    if order is None or len(head) < HEAD:
        raise MalformedMessage("not the beginning of a message")
    body, _, fields = struct.unpack(f"{order}III", head[4:HEAD])
    size: int = HEAD + _up(fields, 8) + body
    if size > LARGEST_BYTES:
        raise MalformedMessage(f"a message of {size} bytes")
    return size


def decode(data: bytes) -> Message:
    """Return the message in ``data``, which ``size_of`` gave the length of.

    Raises:
        MalformedMessage: it is none.
    """
    reader = _Reader(data, "<" if data[:1] == b"l" else ">")
    try:
        reader.at = 12
        fields = dict(reader.read("a(yv)"))
        reader.at = _up(reader.at, 8)
        body = [reader.read(one) for one in split_signature(fields.get(SIGNATURE, ""))]
    except (struct.error, IndexError, ValueError, TypeError, RecursionError) as error:
        raise MalformedMessage(str(error)) from None
    return Message(data[1], fields.get(REPLY_SERIAL, 0), fields.get(ERROR_NAME, ""), body)


def split_signature(signature: str) -> list[str]:
    """Return the complete types that a signature lines up; raise MalformedMessage for none."""
    types = []
    while signature:
        end = _type_end(signature, 0)
        types.append(signature[:end])
        signature = signature[end:]
    return types


def _type_end(signature: str, at: int, depth: int = 0) -> int:
    """Return where the complete type that begins at ``at`` ends."""
    if at >= len(signature) or depth > DEEPEST:
        raise MalformedMessage(f"{signature!r} is no signature")
    first = signature[at]
    if first == "a":
        return _type_end(signature, at + 1, depth + 1)
    if first in "({":
        at += 1
        while at < len(signature) and signature[at] not in ")}":
            at = _type_end(signature, at, depth + 1)
        # A structure of nothing would take no room, and an array of them no end.
        if at >= len(signature) or signature[at - 1] in "({":
            raise MalformedMessage(f"{signature!r} is no signature")
        return at + 1
    if first not in FIXED and first not in "sogv":
        raise MalformedMessage(f"{signature!r} is no signature")
    return at + 1


class _Reader:
    def __init__(self, data: bytes, order: str) -> None:
        self._data = data
        self._order = order
        self._depth = 0
        self.at = 0
        self._readers: dict[str, Callable[[str], Any]] = {
            "s": self._text, "o": self._text, "g": self._signature, "v": self._variant,
            "a": self._array, "(": self._structure, "{": self._structure,
        }  # fmt: skip

    def read(self, type_: str) -> Any:
        """Return one value of a complete type."""
        code = FIXED.get(type_[0])
        if code is None:
            return self._readers[type_[0]](type_)
        value = self._number(code)
        return bool(value) if type_ == "b" else value

    def _number(self, code: str) -> Any:
        size = struct.calcsize(code)
        self.at = _up(self.at, size)
        (value,) = struct.unpack_from(self._order + code, self._data, self.at)
        self.at += size
        return value

    def _text(self, _: str) -> str:
        return self._characters(self._number("I"))

    def _signature(self, _: str) -> str:
        return self._characters(self._number("B"))

    def _characters(self, length: int) -> str:
        end = self.at + length
        if end >= len(self._data):
            raise MalformedMessage("a text ends behind its message")
        text = self._data[self.at : end].decode()
        self.at = end + 1  # a zero byte ends it
        return text

    def _variant(self, _: str) -> Any:
        self._depth += 1
        if self._depth > DEEPEST:
            raise MalformedMessage("variants lie too deep in each other")
        (type_,) = split_signature(self._signature(""))
        value = self.read(type_)
        self._depth -= 1
        return value

    def _array(self, type_: str) -> list[Any]:
        length = self._number("I")
        self.at = _up(self.at, _alignment(type_[1]))
        end = self.at + length
        if end > len(self._data):
            raise MalformedMessage("an array ends behind its message")
        values = []
        while self.at < end:
            values.append(self.read(type_[1:]))
        return values

    def _structure(self, type_: str) -> tuple[Any, ...]:
        self.at = _up(self.at, 8)
        return tuple([self.read(one) for one in split_signature(type_[1:-1])])


def _alignment(code: str) -> int:
    if code in FIXED:
        return struct.calcsize(FIXED[code])
    return {"g": 1, "v": 1, "(": 8, "{": 8}.get(code, 4)


def _up(at: int, size: int) -> int:
    return -(-at // size) * size


def _padded(data: bytes, size: int) -> bytes:
    return data.ljust(_up(len(data), size), b"\0")


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<I", len(encoded)) + encoded + b"\0"


def _signature(text: str) -> bytes:
    return bytes([len(text)]) + text.encode() + b"\0"
