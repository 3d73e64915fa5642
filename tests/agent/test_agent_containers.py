"""Control groups are told alike, whichever version of the interface the machine has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cgroup.figures import Limits, ancestry, least
from agent.cgroup.layout import choose, container_id
from agent.cgroup.unified import shares_of_weight
from agent.collectors.containers import ContainersCollector
from agent.text import Renderer, TextFormat, text_of
from tests.agent import groups
from tests.agent.probes import Page

LAYOUTS = {"version 2": groups.unified, "version 1": groups.legacy, "hybrid": groups.hybrid}


@pytest.fixture
def told(tmp_path):
    """Writes a tree and returns what is told of it."""

    def read(files, **options):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        collector = ContainersCollector(
            proc=str(tmp_path / "proc"), sys=str(tmp_path / "sys"), **options
        )
        blocks = Renderer().render(list(collector.collect()))
        return Page(text_of(blocks, TextFormat.PROMETHEUS))

    return read


@pytest.fixture(params=LAYOUTS)
def page(request, told):
    return told(LAYOUTS[request.param]("app"), now_seconds=lambda: 1_700_000_000.0)


def test_cpu_is_told_in_seconds(page):
    assert page.value("container_cpu_usage_seconds_total", id="/app", cpu="total") == 3
    assert page.value("container_cpu_user_seconds_total", id="/app") == 2
    assert page.value("container_cpu_system_seconds_total", id="/app") == 1


def test_throttling_is_told(page):
    assert page.value("container_cpu_cfs_periods_total", id="/app") == 40
    assert page.value("container_cpu_cfs_throttled_periods_total", id="/app") == 10
    assert page.value("container_cpu_cfs_throttled_seconds_total", id="/app") == 1.5
    assert page.value("container_spec_cpu_quota", id="/app") == 50000
    assert page.value("container_spec_cpu_period", id="/app") == 100000


def test_memory_is_told_with_its_working_set(page):
    assert page.value("container_memory_usage_bytes", id="/app") == 900_000
    assert page.value("container_memory_working_set_bytes", id="/app") == 600_000
    assert page.value("container_memory_rss", id="/app") == 500_000
    assert page.value("container_memory_cache", id="/app") == 350_000
    assert page.value("container_memory_mapped_file", id="/app") == 20_000
    assert page.value("container_memory_swap", id="/app") == 4096
    assert page.value("container_memory_max_usage_bytes", id="/app") == 1_000_000
    assert page.value("container_memory_failcnt", id="/app") == 12
    assert page.value("container_oom_events_total", id="/app") == 2
    faults = {"id": "/app", "failure_type": "pgmajfault", "scope": "hierarchy"}
    assert page.value("container_memory_failures_total", **faults) == 3


def test_limits_are_told_as_set_and_none_as_nought(page):
    assert page.value("container_spec_memory_limit_bytes", id="/app") == 1_048_576
    assert page.value("container_spec_memory_swap_limit_bytes", id="/app") == 0
    assert page.value("container_spec_memory_reservation_limit_bytes", id="/app") == 0
    assert page.value("container_threads", id="/app") == 5
    assert page.value("container_threads_max", id="/app") == 0


def test_disks_are_told_by_device(page):
    disk = {"id": "/app", "device": "/dev/sda"}
    assert page.value("container_fs_reads_bytes_total", **disk) == 4096
    assert page.value("container_fs_writes_bytes_total", **disk) == 8192
    assert page.value("container_fs_reads_total", **disk) == 1
    assert page.value("container_fs_writes_total", **disk) == 2
    assert len(page.labels("container_fs_reads_total")) == 1


def test_when_a_group_was_seen_and_made_is_told(page):
    assert page.value("container_last_seen", id="/app") == 1_700_000_000
    assert page.value("container_start_time_seconds", id="/app") > 1_700_000_000


@pytest.mark.parametrize("layout", ["version 2", "hybrid"])
def test_pressure_is_told_where_version_2_is(told, layout):
    page = told(LAYOUTS[layout]("app"))
    assert page.value("container_pressure_cpu_waiting_seconds_total", id="/app") == 2.5
    assert page.value("container_pressure_cpu_stalled_seconds_total", id="/app") == 0.5
    assert page.value("container_pressure_memory_stalled_seconds_total", id="/app") == 0.5
    assert page.value("container_pressure_io_waiting_seconds_total", id="/app") == 2.5


@pytest.mark.parametrize("layout", ["version 2", "version 1", "hybrid"])
def test_a_group_is_bound_by_the_groups_it_lies_in(told, layout):
    files = LAYOUTS[layout]("outer", "outer/inner")
    for name in ("outer/inner/cpu.max", "cpu/outer/inner/cpu.cfs_quota_us"):
        if f"sys/fs/cgroup/{name}" in files:
            files[f"sys/fs/cgroup/{name}"] = "max 100000\n" if name.endswith("max") else "-1\n"
    for name in ("outer/memory.max", "memory/outer/memory.limit_in_bytes"):
        if f"sys/fs/cgroup/{name}" in files:
            files[f"sys/fs/cgroup/{name}"] = "524288\n"
    page = told(files)
    inner = "/outer/inner"
    assert page.value("watchkeeper_container_cpu_limit_cores", id=inner) == 0.5
    assert page.value("watchkeeper_container_memory_limit_bytes", id=inner) == 524_288
    assert page.value("container_spec_memory_limit_bytes", id=inner) == 1_048_576
    assert page.value("container_cpu_cfs_periods_total", id=inner) is None


@pytest.mark.parametrize("layout", ["version 2", "version 1"])
def test_without_any_limit_the_machine_is_the_limit(told, layout):
    files = LAYOUTS[layout]("app")
    unlimited = {
        "app/cpu.max": "max 100000\n",
        "app/memory.max": "max\n",
        "cpu/app/cpu.cfs_quota_us": "-1\n",
        "memory/app/memory.limit_in_bytes": "9223372036854771712\n",
    }
    for name, text in unlimited.items():
        if f"sys/fs/cgroup/{name}" in files:
            files[f"sys/fs/cgroup/{name}"] = text
    page = told(files)
    assert page.value("watchkeeper_container_cpu_limit_cores", id="/app") == 6
    assert page.value("watchkeeper_container_memory_limit_bytes", id="/app") == 2048 * 1024
    assert page.value("container_spec_memory_limit_bytes", id="/app") == 0


@pytest.mark.parametrize(
    ("quota", "pinned", "cores"), [("-1", "0-1,4", 3), ("50000", "0-1", 0.5), ("-1", "", 6)]
)
@pytest.mark.parametrize("layout", ["version 2", "version 1"])
def test_a_group_pinned_to_some_cpus_can_use_no_others(told, layout, quota, pinned, cores):
    files = LAYOUTS[layout]("app")
    if layout == "version 2":
        files["sys/fs/cgroup/app/cpu.max"] = f"{quota.replace('-1', 'max')} 100000\n"
        files["sys/fs/cgroup/app/cpuset.cpus.effective"] = f"{pinned}\n"
    else:
        files["sys/fs/cgroup/cpu/app/cpu.cfs_quota_us"] = f"{quota}\n"
        files["sys/fs/cgroup/cpuset/app/cpuset.effective_cpus"] = f"{pinned}\n"
    page = told(files)
    assert page.value("watchkeeper_container_cpu_limit_cores", id="/app") == cores


def test_version_1_mounted_by_pairs_is_the_same(told):
    files = {
        name.replace("cgroup/cpu/", "cgroup/cpu,cpuacct/").replace(
            "cgroup/cpuacct/", "cgroup/cpu,cpuacct/"
        ): text
        for name, text in groups.legacy("app").items()
    }
    page = told(files)
    assert page.value("container_cpu_usage_seconds_total", id="/app") == 3
    assert page.value("container_cpu_cfs_throttled_periods_total", id="/app") == 10


def test_the_root_of_version_2_has_no_memory_of_its_own(told):
    page = told(groups.unified())
    assert page.value("container_cpu_usage_seconds_total", id="/") == 9
    assert page.value("container_memory_usage_bytes", id="/") is None


def test_of_too_many_groups_the_root_our_own_and_containers_come_first(told):
    scope = f"system.slice/docker-{groups.CONTAINER}.scope"
    others = [f"system.slice/other{number}.service" for number in range(6)]
    files = groups.unified("app", scope, *others)
    page = told(files, most_groups=3)
    ids = {labels["id"] for labels in page.labels("container_last_seen")}
    assert ids == {"/", "/app", f"/{scope}"}
    assert page.value("watchkeeper_container_groups_left_out") == 7
    assert page.value("container_memory_rss", name=groups.CONTAINER) == 500_000


@pytest.mark.parametrize("layout", LAYOUTS)
def test_groups_made_below_one_that_had_none_are_told_of(told, layout):
    told(LAYOUTS[layout]("app"))
    page = told(LAYOUTS[layout]("app", "app/new", "app/new/deeper"))
    ids = {labels["id"] for labels in page.labels("container_last_seen")}
    assert ids == {"/", "/app", "/app/new", "/app/new/deeper"}


def test_groups_of_mounts_are_not_told_of(told):
    page = told(groups.unified("home.mount", "dev-sda2.swap"))
    assert {labels["id"] for labels in page.labels("container_last_seen")} == {"/"}


def test_a_machine_without_control_groups_has_none(told):
    assert not told(groups.PROC).samples


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (f"/docker/{groups.CONTAINER}", groups.CONTAINER),
        (f"/system.slice/docker-{groups.CONTAINER}.scope", groups.CONTAINER),
        (f"/kubepods/burstable/pod1/cri-containerd-{groups.CONTAINER}.scope", groups.CONTAINER),
        (f"/machine.slice/libpod-{groups.CONTAINER}.scope", groups.CONTAINER),
        (f"/docker/{groups.CONTAINER}/init", ""),
        ("/system.slice/ssh.service", ""),
        ("/", ""),
    ],
)
def test_a_containers_id_is_read_from_where_runtimes_put_it(group, name):
    assert container_id(group) == name


def test_weights_become_the_shares_runtimes_made_them_of():
    assert [shares_of_weight(weight) for weight in (1, 39, 10000)] == [2, 998, 262144]


GROUPS = st.lists(st.sampled_from("abc"), max_size=4).map(lambda parts: "/" + "/".join(parts))
LIMIT = st.none() | st.floats(0.1, 64)


@given(group=GROUPS, limits=st.dictionaries(GROUPS, st.tuples(LIMIT, LIMIT)))
def test_a_group_is_never_told_more_than_any_group_around_it_allows(group, limits):
    above = [Limits(*limits.get(one, (None, None))) for one in ancestry(group)]
    held = least(above)
    for at in (0, 1):
        set_ = [one[at] for one in above if one[at] is not None]
        assert held[at] == (min(set_) if set_ else None)
    assert ancestry(group)[0] == group
    assert ancestry(group)[-1] == "/"


@given(found=st.lists(GROUPS, unique=True), most=st.integers(1, 10), own=GROUPS)
def test_what_is_told_and_what_is_left_out_is_all_there_is(found, most, own):
    chosen, left_out = choose(found, own, most)
    assert len(chosen) + left_out == len(found)
    assert len(chosen) <= most
    assert own in chosen or own not in found or most < 2
