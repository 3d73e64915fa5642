"""Freed memory goes back to the system."""

import ctypes
import gc

import psutil
import pytest

from watchkeeper.memory import give_back_freed

MEBIBYTE = 1 << 20


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_what_was_freed_below_something_still_in_use_is_given_back():
    process = psutil.Process()
    many = [bytes(1_000) for _ in range(100_000)]
    last = many.pop()
    held = process.memory_info().rss
    many.clear()
    gc.collect()
    assert give_back_freed()
    assert process.memory_info().rss < held - 50 * MEBIBYTE
    assert len(last) == 1_000
