"""Whom we trust over TLS, for collectors that connect again and again."""

from __future__ import annotations

import ssl
from pathlib import Path

from watchkeeper.stamp import Stamp, stamp_of


class Trust:
    """What trusts the authorities of a file, read again when that is another.

    It holds all of them, and making it takes longer than a handshake: so it is made when it is
    first needed, and kept.

    Args:
        certificates: the file; empty for the system's authorities, which are read once.
    """

    def __init__(self, certificates: str) -> None:
        self._file = Path(certificates) if certificates else None
        self._stamp = Stamp()
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """Return it; raise OSError where the file cannot be used."""
        stamp = Stamp() if self._file is None else stamp_of(self._file)
        if self._context is None or stamp != self._stamp:
            self._context = ssl.create_default_context(cafile=self._file)
            self._stamp = stamp
        return self._context
