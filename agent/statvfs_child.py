"""A program that asks file systems, each in its own thread: a dead one holds up no other.

A number, a blank and a path in, ended by a zero byte; out a line with that number and what its file
system says, or the number alone where it cannot be asked. It imports little, to stay small.
"""

from __future__ import annotations

import _thread
import os


def numbers_of(path: str | bytes) -> tuple[int, int, int, int, int]:
    """Return size, free and available bytes, inodes and free inodes; raise OSError if refused."""
    stats = os.statvfs(path)
    block = stats.f_frsize
    return (
        stats.f_blocks * block,
        stats.f_bfree * block,
        stats.f_bavail * block,
        stats.f_files,
        stats.f_ffree,
    )


def answer(question: bytes) -> None:
    """Write the line for one question."""
    number, _, path = question.partition(b" ")
    try:
        numbers = " ".join(map(str, numbers_of(path))).encode()
    except OSError:
        numbers = b""
    os.write(1, number + b" " + numbers + b"\n")  # whole or not at all: it is short (pipe(7))


def answer_for_ever() -> None:
    """Say a line, then answer until nobody asks any more."""
    os.write(1, b"started\n")
    pending = b""
    while piece := os.read(0, 1 << 16):
        *questions, pending = (pending + piece).split(b"\0")
        for question in questions:
            _thread.start_new_thread(answer, (question,))


if __name__ == "__main__":
    answer_for_ever()
