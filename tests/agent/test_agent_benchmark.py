"""What the benchmark of the agent measures is all that the agent takes."""

import sys
import time

import psutil
import pytest

from benchmarks.scraped import Scraped
from tests.ports import free_port
from tests.waiting import wait_until

HAS_A_CHILD = "import subprocess; subprocess.Popen(['cat'], stdin=subprocess.PIPE).wait()"


@pytest.fixture
def parent():
    scraped = Scraped("parent", [sys.executable, "-c", HAS_A_CHILD], free_port())
    wait_until(
        lambda: [c for c in psutil.Process(scraped.process.pid).children() if c.name() == "cat"],
        what="the child",
    )
    yield scraped
    scraped.stop()


def test_memory_and_cpu_time_of_children_count(parent):
    alone = psutil.Process(parent.process.pid)
    assert parent.rss_megabytes() > alone.memory_info().rss / 1e6
    assert parent.cpu_seconds() > time.clock_gettime(~alone.pid << 3 | 2)
