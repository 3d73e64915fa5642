"""A mount that never answers: a FUSE file system whose server reads no request."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)

LAZY = 2  # MNT_DETACH


@contextmanager
def hung_mount(directory: Path) -> Iterator[None]:
    """Mount it on ``directory``; raise OSError where we may not (root and /dev/fuse are needed)."""
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"silent", os.fsencode(directory), b"fuse", 0, options) != 0:
        error = ctypes.get_errno()
        os.close(device)
        raise OSError(error, os.strerror(error))
    try:
        yield
    finally:
        os.close(device)  # whoever waits for an answer is told that none will come
        libc.umount2(os.fsencode(directory), LAZY)
