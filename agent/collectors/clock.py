"""The machine's clock: time, source, zone, and how well it is disciplined (adjtimex(2))."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from agent.family import Family, single
from agent.procfs import read_line
from watchkeeper.catalogue import host_clock

MICROSECONDS = 1e-6
NANOSECONDS = 1e-9
SCALED_PPM = 1 / 65536 / 1_000_000
"""Frequencies are in parts per million with a 16-bit fraction."""
STA_NANO = 0x2000
"""Status bit: offset and jitter are in nanoseconds, not microseconds (linux/timex.h)."""
TIME_ERROR = 5
"""State of a clock that nothing disciplines."""


class Timex(ctypes.Structure):
    """``struct timex`` of linux/timex.h."""

    _fields_: ClassVar = [
        ("modes", ctypes.c_uint),
        *[(name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")],
        ("status", ctypes.c_int),
        *[(name, ctypes.c_long) for name in ("constant", "precision", "tolerance")],
        ("time_seconds", ctypes.c_long),
        ("time_fraction", ctypes.c_long),
        *[(name, ctypes.c_long) for name in ("tick", "ppsfreq", "jitter")],
        ("shift", ctypes.c_int),
        *[(name, ctypes.c_long) for name in ("stabil", "jitcnt", "calcnt", "errcnt", "stbcnt")],
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    ]


class ClockCollector:
    """What the machine thinks the time is, and how sure it is."""

    def __init__(self, *, sys: str = "/sys") -> None:
        self._source = Path(sys) / "devices/system/clocksource/clocksource0"
        self._libc = ctypes.CDLL(None, use_errno=True)

    def collect(self) -> Iterator[Family]:
        """Return the clock's state; raise OSError where adjtimex is forbidden."""
        yield single(host_clock.TIME, time.time())
        local = time.localtime()
        yield single(host_clock.ZONE_OFFSET, local.tm_gmtoff, (local.tm_zone,))
        available = (read_line(f"{self._source}/available_clocksource") or "").split()
        yield Family(host_clock.CLOCK_SOURCES, [(("0", name), 1) for name in available])
        current = read_line(f"{self._source}/current_clocksource")
        if current:
            yield single(host_clock.CLOCK_SOURCE, 1, ("0", current))
        yield from self._discipline()

    def _discipline(self) -> Iterator[Family]:
        timex = Timex()  # modes 0: ask, change nothing
        state = self._libc.adjtimex(ctypes.byref(timex))
        if state < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        yield single(host_clock.SYNC_STATUS, int(state != TIME_ERROR))
        yield from discipline_families(timex)

    def close(self) -> None:
        """Nothing is held open."""


def discipline_families(timex: Timex) -> Iterator[Family]:
    """Yield what the kernel says of its clock, in base units."""
    fraction = NANOSECONDS if timex.status & STA_NANO else MICROSECONDS
    yield single(host_clock.OFFSET, timex.offset * fraction)
    yield single(host_clock.FREQUENCY, 1 + timex.freq * SCALED_PPM)
    yield single(host_clock.MAX_ERROR, timex.maxerror * MICROSECONDS)
    yield single(host_clock.ESTIMATED_ERROR, timex.esterror * MICROSECONDS)
    yield single(host_clock.STATUS, timex.status)
    yield single(host_clock.LOOP_TIME_CONSTANT, timex.constant)
    yield single(host_clock.TICK, timex.tick * MICROSECONDS)
    yield single(host_clock.TAI_OFFSET, timex.tai)
    yield single(host_clock.PPS_FREQUENCY, timex.ppsfreq * SCALED_PPM)
    yield single(host_clock.PPS_STABILITY, timex.stabil * SCALED_PPM)
    yield single(host_clock.PPS_JITTER, timex.jitter * fraction)
    yield single(host_clock.PPS_SHIFT, timex.shift)
    yield single(host_clock.PPS_CALIBRATIONS, timex.calcnt)
    yield single(host_clock.PPS_ERRORS, timex.errcnt)
    yield single(host_clock.PPS_JITTERS, timex.jitcnt)
    yield single(host_clock.PPS_UNSTABLE, timex.stbcnt)
