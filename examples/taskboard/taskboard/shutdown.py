"""Ending on SIGTERM and SIGINT."""

from __future__ import annotations

import signal
import threading
from types import FrameType


def exit_on_signal() -> None:
    """Turn the first SIGTERM or SIGINT into SystemExit in the main thread."""
    asked = threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        if not asked.is_set():
            asked.set()
            raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
