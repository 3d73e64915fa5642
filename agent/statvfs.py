"""Asking file systems that may never answer, from a process that can be thrown away.

A call on a mount whose server is gone blocks in the kernel, where no deadline reaches it. It is
made in a child that is killed when it takes too long. Run as a program this is the child: a path a
line in, the numbers of its file system a line out.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from typing import NamedTuple

ANSWER_SECONDS = 1.0
"""A healthy network file system answers in milliseconds."""

START_SECONDS = 3.0
"""An interpreter starts in a tenth of this, unless the machine is very busy."""


class Space(NamedTuple):
    """Sizes and counts of a file system."""

    size_bytes: int
    free_bytes: int
    available_bytes: int
    files: int
    files_free: int


def space_of(path: str) -> Space:
    """Return the space of the file system at ``path``; raise OSError when it cannot be asked."""
    stats = os.statvfs(path)
    block = stats.f_frsize
    return Space(
        stats.f_blocks * block,
        stats.f_bfree * block,
        stats.f_bavail * block,
        stats.f_files,
        stats.f_ffree,
    )


class PatientAsker:
    """Asks through one child, started when first needed.

    A child that does not answer is killed. While one does not even die, because the kernel holds
    it, nothing more is asked: there is never more than one outstanding.
    """

    def __init__(self, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._answer_seconds = answer_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._lost: subprocess.Popen[bytes] | None = None

    def space_of(self, path: str) -> Space:
        """Return the space of the file system at ``path``.

        Raises:
            OSError: it cannot be asked, or did not answer.
        """
        if self._lost is not None and self._lost.poll() is None:
            raise TimeoutError("an earlier question is still stuck in the kernel")
        self._lost = None
        if self._child is None:
            self._child = _start_child()
            self._read_line(self._child, START_SECONDS)  # it says that it has started
        child = self._child
        assert child.stdin is not None  # noqa: S101  # narrows the type: it is a pipe
        child.stdin.write(os.fsencode(path) + b"\0")
        child.stdin.flush()
        numbers = self._read_line(child, self._answer_seconds).split()
        if not numbers:
            raise OSError("refused")
        return Space(*map(int, numbers))

    def _read_line(self, child: subprocess.Popen[bytes], seconds: float) -> bytes:
        assert child.stdout is not None  # noqa: S101  # narrows the type: it is a pipe
        answered, _, _ = select.select([child.stdout], [], [], seconds)
        line = child.stdout.readline() if answered else b""
        if not line:
            self._give_up()
            raise TimeoutError(f"no answer within {seconds:g} s")
        return line

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._give_up()

    def _give_up(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        try:
            child.wait(0.1)
        except subprocess.TimeoutExpired:
            self._lost = child


def _start_child() -> subprocess.Popen[bytes]:
    # Isolated and without site: the child needs os alone, and stays at a few megabytes.
    command = [sys.executable, "-I", "-S", __file__]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def answer_for_ever() -> None:
    """Say a line, then answer each path with its numbers, or nothing when it cannot be asked."""
    os.write(1, b"started\n")
    pending = b""
    while piece := os.read(0, 1 << 16):
        *paths, pending = (pending + piece).split(b"\0")
        for path in paths:
            try:
                answer = " ".join(map(str, space_of(os.fsdecode(path))))
            except OSError:
                answer = ""
            os.write(1, answer.encode() + b"\n")


if __name__ == "__main__":
    answer_for_ever()
