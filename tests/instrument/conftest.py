import pytest
from prometheus_client import CollectorRegistry

from watchkeeper.instrument.guard import Guard


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def guard(registry):
    return Guard(registry)
