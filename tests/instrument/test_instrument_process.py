import gc
import resource

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from watchkeeper.instrument import Instrumentation
from watchkeeper.instrument.gc_pauses import GcPauses
from watchkeeper.instrument.memory_limit import memory_limit_bytes

GIBIBYTE = 1 << 30


@pytest.fixture
def tree(tmp_path):
    """Writes a process's group line and limits by group path."""
    proc, cgroup = tmp_path / "proc", tmp_path / "cgroup"
    proc.mkdir()
    cgroup.mkdir()

    def plant(group_lines, **limits):
        (proc / "cgroup").write_text(group_lines)
        for path, text in limits.items():
            file = cgroup / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n")
        return {"proc": proc, "cgroup": cgroup}

    return plant


@pytest.fixture(autouse=True)
def no_rlimits(monkeypatch):
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: unlimited)


def test_the_group_of_the_process_limits_it(tree):
    places = tree("0::/app\n", **{"app/memory.max": str(GIBIBYTE)})
    assert memory_limit_bytes(**places) == GIBIBYTE


def test_the_tightest_ancestor_holds(tree):
    limits = {"pod/memory.max": str(GIBIBYTE), "pod/app/memory.max": str(4 * GIBIBYTE)}
    assert memory_limit_bytes(**tree("0::/pod/app\n", **limits)) == GIBIBYTE


def test_version_1_groups_are_read_too_and_their_no_limit_is_none(tree):
    lines = "11:cpu:/app\n5:memory:/app\n"
    no_limit = {"memory/app/memory.limit_in_bytes": "9223372036854771712"}
    assert memory_limit_bytes(**tree(lines, **no_limit)) is None
    limit = {"memory/app/memory.limit_in_bytes": str(GIBIBYTE)}
    assert memory_limit_bytes(**tree(lines, **limit)) == GIBIBYTE


def test_max_means_no_limit(tree):
    assert memory_limit_bytes(**tree("0::/app\n", **{"app/memory.max": "max"})) is None


def test_a_declared_limit_counts_when_it_is_the_smallest(tree):
    places = tree("0::/app\n", **{"app/memory.max": str(GIBIBYTE)})
    assert memory_limit_bytes(5, **places) == 5
    assert memory_limit_bytes(2 * GIBIBYTE, **places) == GIBIBYTE


def test_an_address_space_limit_counts(tree, monkeypatch):
    def limited(kind):
        soft = 7 if kind == resource.RLIMIT_AS else resource.RLIM_INFINITY
        return soft, resource.RLIM_INFINITY

    monkeypatch.setattr(resource, "getrlimit", limited)
    assert memory_limit_bytes(**tree("0::/\n")) == 7


def test_without_control_groups_there_is_no_limit(tmp_path):
    assert memory_limit_bytes(proc=tmp_path, cgroup=tmp_path) is None


def test_every_collection_is_one_pause_of_its_generation(registry):
    pauses = GcPauses(registry)
    labels = {"generation": "2"}
    try:
        before = registry.get_sample_value("python_gc_pause_seconds_count", labels)
        gc.collect()
        gc.collect()
        after = registry.get_sample_value("python_gc_pause_seconds_count", labels)
    finally:
        pauses.close()
    assert after >= before + 2
    gc.collect()
    assert registry.get_sample_value("python_gc_pause_seconds_count", labels) == after


def test_the_whole_exposition_parses_and_every_name_is_catalogued():
    from watchkeeper.catalogue import every_metric

    instrumentation = Instrumentation("shop", declared_memory_bytes=GIBIBYTE)
    for part in ("http", "http_client", "pools", "database", "caches", "tasks", "handoffs"):
        getattr(instrumentation, part)
    text = generate_latest(instrumentation.registry).decode()
    exposed = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(text)
        if not family.name.endswith("_created")
    }
    assert exposed
    assert exposed <= set(every_metric())
