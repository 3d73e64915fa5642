"""Beside node_exporter: the same names, types, labels and values, and every difference named.

It runs here and now, on this machine and on a fixture tree that has the hardware this machine has
not; nothing it says is typed by hand.
"""

import contextlib
import random
import shutil

import pytest

from agent.collectors import HOST_KINDS, make
from agent.configured import read_recipes
from agent.once import collect_once
from agent.settings.host import HostSettings
from agent.text import Renderer, TextFormat, text_of
from benchmarks import exporters
from benchmarks.scraped import Scraped
from tests.agent import machine
from tests.agent.reading import Reading, disagreements
from tests.ports import free_port

pytestmark = pytest.mark.live

ABOUT_ITSELF = ("go_", "process_", "promhttp_", "node_exporter_", "node_scrape_")
"""What node_exporter says of itself and its scrapes."""

LEFT_OUT = {
    "node_network_speed_bytes": "told of links that know their speed, not as -125000",
    "node_textfile_scrape_error": "told once a directory is configured",
}
"""Families of node_exporter that ours does not have here, and why."""

OURS_ONLY = {
    "node_cpu_scaling_governor": "node_exporter 1.6",
    "node_netstat_TcpExt_TCPOFOQueue": "node_exporter 1.6",
    "node_netstat_TcpExt_TCPRcvQDrop": "node_exporter 1.6",
    "node_pressure_irq_stalled_seconds_total": "node_exporter 1.9",
    "node_softnet_backlog_len": "node_exporter 1.6",
    "node_softnet_cpu_collision_total": "node_exporter 1.6",
    "node_softnet_flow_limit_count_total": "node_exporter 1.6",
    "node_softnet_received_rps_total": "node_exporter 1.6",
}
"""Families that Debian's node_exporter 1.5 does not have, and which one does."""

OTHER_LABELS = {
    "node_network_info": "adminstate, which node_exporter has since 1.6",
}
"""Families whose labels differ from those of Debian's older exporter, and why."""

LIVELY = (
    "node_arp_", "node_disk_io_now", "node_entropy_", "node_filefd_", "node_filesystem_",
    "node_load", "node_memory_", "node_netstat_Tcp_CurrEstab", "node_nf_", "node_procs_",
    "node_sockstat_", "node_time_seconds", "node_timex_", "node_udp_",
)  # fmt: skip
"""Gauges that move by themselves between two readings."""

TEXTFILE = """\
# HELP backup_seconds Duration.
# TYPE backup_seconds histogram
backup_seconds_bucket{le="1"} 1
backup_seconds_bucket{le="+Inf"} 2
backup_seconds_sum 3.5
backup_seconds_count 2
backup_files{kind="a\\"b"} 7
backup_files{host="x"} 8
"""

ONE_FAMILY_A_MACHINE = (
    "node_uname_info", "node_time", "node_network_", "node_filesystem_", "node_tcp_",
)  # fmt: skip
"""What node_exporter asks the running kernel for, whatever tree it is given."""


@pytest.fixture(scope="module")
def program():
    return exporters.find_one("prometheus-node-exporter", exporters.CACHE)


@contextlib.contextmanager
def node_exporter(program, *options):
    port = free_port()
    command = [str(program), f"--web.listen-address=127.0.0.1:{port}", *options]
    process = Scraped(program.name, command, port)
    try:
        process.wait_until_it_answers()
        yield lambda: Reading.read(process.scrape()[1].decode())
    finally:
        process.stop()


@pytest.fixture(scope="module")
def side_by_side(program, tmp_path_factory):
    """(theirs before, ours, theirs after), all read within moments on this machine."""
    config = tmp_path_factory.mktemp("parity") / "agent.yml"
    config.write_text(f"discover: false\ntextfile: {{directories: [{config.parent}]}}\n")
    (config.parent / "backup.prom").write_text(TEXTFILE)
    (config.parent / "broken.prom").write_text("backup_size_bytes 1 1700000000000\n")
    recipes = read_recipes(config)
    with node_exporter(program, f"--collector.textfile.directory={config.parent}") as scrape:
        before = scrape()
        ours = Reading.read(collect_once(recipes, random.Random(1)).decode())
        yield before, ours, scrape()


@pytest.fixture(scope="module")
def on_one_tree(program, tmp_path_factory):
    """(theirs, ours) of a machine that does not move and has all the hardware."""
    tree = tmp_path_factory.mktemp("machine")
    host = HostSettings(**machine.build(tree))
    shutil.rmtree(tree / "sys/class/thermal/thermal_zone1")  # a broken one ends their collector
    options = (
        f"--path.procfs={host.proc}", f"--path.sysfs={host.sys}", f"--path.rootfs={host.root}",
        f"--path.udev.data={tree}/run/udev/data", "--collector.processes",
        "--collector.tcpstat", "--collector.interrupts",
    )  # fmt: skip
    with node_exporter(program, *options) as scrape:
        yield scrape(), Reading.read(everything_told_of(host))


def everything_told_of(host):
    families = []
    for kind in HOST_KINDS:
        collector = make(kind, host.arguments_of(kind))
        families += collector.collect()
        collector.close()
    return text_of(Renderer().render(families), TextFormat.PROMETHEUS).decode()


@pytest.fixture(params=["side_by_side", "on_one_tree"])
def two(request):
    """(theirs, ours), of this machine and of the tree."""
    told = request.getfixturevalue(request.param)
    return told[0], told[1]


def test_every_family_of_node_exporter_is_ours_too(two):
    theirs, ours = two
    assert theirs.names(ABOUT_ITSELF) - ours.names() - set(LEFT_OUT) == set()


def test_every_family_of_ours_is_node_exporters(two):
    theirs, ours = two
    of_the_host = {name for name in ours.names() if name.startswith("node_")}
    strangers = of_the_host - theirs.names() - set(OURS_ONLY)
    # The tree has no /proc/mounts, so there node_exporter tells of no file system.
    assert {name for name in strangers if not name.startswith(ONE_FAMILY_A_MACHINE)} == set()


def test_every_family_has_node_exporters_type(two):
    theirs, ours = two
    both = theirs.types.keys() & ours.types.keys()
    assert len(both) > 150
    assert {name for name in both if ours.types[name] != theirs.types[name]} == set()


def test_every_family_has_node_exporters_labels(two):
    theirs, ours = two
    both = theirs.names(ABOUT_ITSELF) & ours.names() - set(OTHER_LABELS)
    different = {
        name: (ours.label_names(name), theirs.label_names(name))
        for name in both
        if ours.label_names(name) != theirs.label_names(name)
    }
    assert different == {}


def test_values_of_a_machine_that_does_not_move_are_the_same(on_one_tree):
    theirs, ours = on_one_tree
    names = {
        name
        for name in theirs.names(ABOUT_ITSELF) & ours.names()
        if not name.startswith(ONE_FAMILY_A_MACHINE)
        and not name.startswith("node_softnet_")  # 1.5 numbers the lines, not the CPUs
    }
    assert len(names) > 140
    told = ours.only(names).values
    expected = theirs.only(names).values
    assert told.keys() == expected.keys()
    assert told == pytest.approx(expected, rel=1e-12)


def test_values_of_this_machine_agree_when_read_at_the_same_time(side_by_side):
    before, ours, after = side_by_side
    counters = {f"{name}_total" for name, kind in ours.types.items() if kind == "counter"}
    compared = {
        name for name in ours.names(ABOUT_ITSELF) if name in counters or not name.startswith(LIVELY)
    }
    assert len(compared & before.names()) > 100
    assert disagreements(before.only(compared), ours, after) == {}
