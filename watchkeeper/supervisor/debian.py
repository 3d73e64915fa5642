"""Installing packages of Debian and its relatives, without starting what they bring."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchkeeper.errors import Reason, UpstreamError

POLICY = Path("/usr/sbin/policy-rc.d")
"""Asked by every package before it starts a service; exit 101 forbids (invoke-rc.d(8))."""

UPDATE_TIMEOUT_SECONDS = 120
INSTALL_TIMEOUT_SECONDS = 600


def may_install() -> bool:
    """Return whether this is a Debian-like system on which we are root."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(package: str, *, services: tuple[str, ...] = ()) -> None:
    """Install ``package`` without what it recommends; none of its services is left running.

    Args:
        package: the name of a Debian package.
        services: units it brings, which are also kept from starting with the machine.

    Raises:
        UpstreamError: apt-get failed; the message ends with its last line.
    """
    with _services_held_back():
        _apt("update", "-qq", timeout_seconds=UPDATE_TIMEOUT_SECONDS)
        _apt(
            "install", "-qq", "-y", "--no-install-recommends", package,
            timeout_seconds=INSTALL_TIMEOUT_SECONDS,
        )  # fmt: skip
    if services and shutil.which("systemctl"):
        # Fails where systemd does not run, as in a container: then nothing would start them either.
        subprocess.run(["systemctl", "disable", "--quiet", *services], check=False)


@contextmanager
def _services_held_back() -> Iterator[None]:
    if POLICY.exists():  # somebody, often a container image, has decided already
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def _apt(*arguments: str, timeout_seconds: float) -> None:
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=60", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=environment, timeout=timeout_seconds, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        message = f"apt-get {arguments[0]} took longer than {timeout_seconds:g} s"
        raise UpstreamError(message, reason=Reason.TIMEOUT) from None
    if done.returncode != 0:
        last_line = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UpstreamError(f"apt-get {arguments[0]} failed: {last_line}")
