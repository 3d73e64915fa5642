"""Running a program within limits of time and output, and leaving nothing of it behind."""

from __future__ import annotations

import os
import pwd
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from watchkeeper.errors import NeverSent, Reason, UpstreamError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

LOOK_AGAIN_SECONDS = 0.05
"""For a program that ended while a child of it still holds its output open."""

PIECE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and the end of what it said on both outputs."""

    exit_code: int
    output: str


def run(
    arguments: Sequence[str],
    *,
    directory: str,
    environment: Mapping[str, str],
    user: str | None,
    limit_seconds: float,
    keep_bytes: int,
) -> Ended:
    """Run a program to its end; it and all it started in its process group are gone afterwards.

    Raises:
        NeverSent: it could not be started.
        UpstreamError: it ran into the time limit and was killed.
    """
    try:
        process = subprocess.Popen(
            arguments, cwd=directory, env={"PATH": PATH, "LANG": "C.UTF-8", **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, umask=0o077,
            user=user, group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
        )  # fmt: skip
    except (OSError, KeyError, subprocess.SubprocessError) as error:  # KeyError: no such user
        raise NeverSent(f"{arguments[0]} could not be started: {error}") from None
    with process:
        try:
            output = _output(process, time.monotonic() + limit_seconds, keep_bytes)
        finally:
            # Not reaped yet, so its number is still its own and cannot be another group's.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if output is None:
        raise UpstreamError(
            f"{arguments[0]} was not through after {limit_seconds:g} s and was killed",
            reason=Reason.TIMEOUT,
        )
    return Ended(process.returncode, output.decode("utf-8", "replace"))


def _output(process: subprocess.Popen[bytes], deadline: float, keep_bytes: int) -> bytes | None:
    """Return the end of the output once the program has ended; None when the time was over."""
    assert process.stdout is not None  # noqa: S101  # narrows the type: it is a pipe
    kept, is_open = b"", True
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            has_ended = _has_ended(process)  # asked first: what it said until then is still read
            if is_open and selector.select(0 if has_ended else LOOK_AGAIN_SECONDS):
                piece = os.read(process.stdout.fileno(), PIECE_BYTES)
                kept = (kept + piece)[-keep_bytes:] if keep_bytes else b""
                is_open = bool(piece)
            elif has_ended:
                return kept
            elif not is_open:
                time.sleep(LOOK_AGAIN_SECONDS)
    return None


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, flags) is not None
