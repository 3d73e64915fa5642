"""The host collectors read the kernel's files as node_exporter does."""

import errno
import os
import shutil
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors import HOST_KINDS, make
from agent.collectors.clock import Timex, discipline_families
from agent.collectors.cpu import forward
from agent.collectors.pressure import is_not_kept
from agent.procfs import parse_cpu_list
from agent.settings.host import HostSettings, IgnoredSettings
from agent.text import Renderer, TextFormat, text_of
from tests.agent import machine
from tests.agent.probes import Page
from watchkeeper.errors import WatchkeeperError

OF_SOME_MACHINES = {
    "schedstat", "conntrack", "udp-queues", "bonding", "thermal", "raid", "edac", "frequency",
    "hwmon", "power", "firmware", "systemd",
    "containers", "pressure",
}  # fmt: skip

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def host(tmp_path):
    return HostSettings(**machine.build(tmp_path))


def read(collector):
    return Page(text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS))


def collected(host, kind):
    collector = make(kind, host.arguments_of(kind))
    page = read(collector)
    collector.close()
    return page


def test_cpu_time_is_told_by_cpu_and_mode_in_seconds(host):
    page = collected(host, "cpu")
    assert page.value("node_cpu_seconds_total", cpu="1", mode="user") == 2.0
    assert page.value("node_cpu_seconds_total", cpu="0", mode="steal") == 0.01
    assert page.value("node_cpu_guest_seconds_total", cpu="0", mode="user") == 0.1
    assert len(page.labels("node_cpu_seconds_total")) == 16
    assert page.value("node_intr_total") == 123456
    assert page.value("node_boot_time_seconds") == 1700000000
    assert page.value("node_procs_running") == 3


def test_interrupts_are_told_by_line_and_cpu_but_not_errors(host):
    page = collected(host, "interrupts")
    line = {"type": "24", "info": "IO-APIC", "devices": "5-edge ACPI:Ged"}
    assert page.value("node_interrupts_total", cpu="1", **line) == 7
    other = {"type": "NMI", "info": "Non-maskable interrupts", "devices": ""}
    assert page.value("node_interrupts_total", cpu="0", **other) == 2
    assert len(page.labels("node_interrupts_total")) == 4


def cpu_lines(*, user, idle, iowait):
    return f"cpu0 {user} 0 50 {idle} {iowait} 0 5 1 10 0\n"


@pytest.mark.parametrize("mode", ["idle", "iowait"])
def test_cpu_time_that_the_kernel_corrects_downwards_stands_still(host, tmp_path, mode):
    stat = tmp_path / "proc/stat"
    before = {"user": 100, "idle": 5000, "iowait": 5000}
    stat.write_text(cpu_lines(**before))
    collector = make("cpu", host.arguments_of("cpu"))
    read(collector)
    stat.write_text(cpu_lines(**before | {"user": 200, mode: 4990}))
    page = read(collector)
    assert page.value("node_cpu_seconds_total", cpu="0", mode=mode) == 50.0
    assert page.value("node_cpu_seconds_total", cpu="0", mode="user") == 2.0
    stat.write_text(cpu_lines(**before | {"user": 200, mode: 5010}))
    assert read(collector).value("node_cpu_seconds_total", cpu="0", mode=mode) == 50.1


def test_a_cpu_that_was_put_in_again_counts_anew(host, tmp_path):
    stat = tmp_path / "proc/stat"
    stat.write_text(cpu_lines(user=100, idle=5000, iowait=10))
    collector = make("cpu", host.arguments_of("cpu"))
    read(collector)
    stat.write_text(cpu_lines(user=1, idle=2, iowait=0))
    page = read(collector)
    assert page.value("node_cpu_seconds_total", cpu="0", mode="user") == 0.01
    assert page.value("node_cpu_seconds_total", cpu="0", mode="idle") == 0.02


@given(
    st.lists(
        st.lists(st.integers(0, 2), min_size=10, max_size=10).map(
            lambda ticks: [float(tick) for tick in ticks]
        )
    )
)
def test_no_cpu_time_ever_runs_backwards(readings):
    told = [0.0] * 10
    for now in readings:
        before, told = told, forward(told, now)
        assert all(earlier <= later for earlier, later in zip(before, told, strict=True))


def test_load_is_three_averages(host):
    page = collected(host, "load")
    names = ("node_load1", "node_load5", "node_load15")
    assert [page.value(name) for name in names] == [0.52, 1.25, 2.0]


def test_memory_tells_every_field_also_one_nobody_knew(host):
    page = collected(host, "memory")
    assert page.value("node_memory_MemTotal_bytes") == 2048 * 1024
    assert page.value("node_memory_Active_anon_bytes") == 100 * 1024
    assert page.value("node_memory_HugePages_Total") == 4
    assert page.value("node_memory_NewInLinux7_bytes") == 8 * 1024


def test_of_vmstat_only_the_fields_in_use_are_told(host):
    page = collected(host, "vmstat")
    assert page.value("node_vmstat_oom_kill") == 2
    assert set(page.families) == {"node_vmstat_oom_kill", "node_vmstat_pgfault"}


def test_pressure_is_told_in_seconds(host):
    page = collected(host, "pressure")
    assert page.value("node_pressure_cpu_waiting_seconds_total") == 1.5
    assert page.value("node_pressure_memory_stalled_seconds_total") == 0.125
    assert page.value("node_pressure_io_stalled_seconds_total") == 3.0


def test_stalls_on_interrupts_are_told(host):
    page = collected(host, "pressure")
    assert page.value("node_pressure_irq_stalled_seconds_total") == 2.0


def test_where_the_kernel_keeps_no_pressure_nothing_is_told_and_nothing_fails(host, tmp_path):
    shutil.rmtree(tmp_path / "proc/pressure")
    assert not collected(host, "pressure").samples


def test_an_older_kernel_has_the_files_but_does_not_support_them():
    assert is_not_kept(OSError(errno.EOPNOTSUPP, "Operation not supported"))


def test_pressure_that_is_kept_and_cannot_be_read_is_a_failure(host, tmp_path):
    (tmp_path / "proc/pressure/io").unlink()
    (tmp_path / "proc/pressure/io").mkdir()
    with pytest.raises(WatchkeeperError, match="pressure information cannot be read"):
        collected(host, "pressure")


def test_disks_are_told_without_partitions_and_loops(host):
    page = collected(host, "disk")
    devices = {labels["device"] for labels in page.labels("node_disk_reads_completed_total")}
    assert devices == {"sda", "dm-0"}
    assert page.value("node_disk_read_bytes_total", device="sda") == 200 * 512
    assert page.value("node_disk_write_time_seconds_total", device="sda") == 0.06
    assert page.value("node_disk_io_now", device="sda") == 1
    assert page.value("node_disk_flush_requests_total", device="sda") == 4
    assert page.value("node_disk_flush_requests_total", device="dm-0") is None


def test_file_systems_are_told_without_the_pseudo_ones(host):
    page = collected(host, "filesystem")
    points = {labels["mountpoint"] for labels in page.labels("node_filesystem_readonly")}
    assert points == {"/", "/mnt/a disk", "/mnt/gone"}
    assert page.value("node_filesystem_readonly", mountpoint="/mnt/a disk") == 1
    size = page.value("node_filesystem_size_bytes", mountpoint="/")
    assert 0 < page.value("node_filesystem_avail_bytes", mountpoint="/") <= size


def test_what_is_ignored_can_be_chosen(host):
    ignored = IgnoredSettings(
        mount_points="^/mnt", file_systems="^proc$", disks="^sd", networks="."
    )
    chosen = host.model_copy(update={"ignored": ignored})
    points = collected(chosen, "filesystem").labels("node_filesystem_readonly")
    assert {labels["mountpoint"] for labels in points} == {"/", "/dev/shm"}
    disks = collected(chosen, "disk").labels("node_disk_reads_completed_total")
    assert {labels["device"] for labels in disks} == {"loop0", "dm-0"}
    assert not collected(chosen, "network").labels("node_network_up")
    assert collected(host, "network").labels("node_network_up")


def test_a_file_system_that_cannot_be_asked_is_an_error_and_has_no_size(host):
    page = collected(host, "filesystem")
    assert page.value("node_filesystem_device_error", mountpoint="/mnt/gone") == 1
    assert page.value("node_filesystem_size_bytes", mountpoint="/mnt/gone") is None
    assert page.value("node_filesystem_device_error", mountpoint="/") == 0


def test_protocol_counters_come_from_three_files(host):
    page = collected(host, "netstat")
    assert page.value("node_netstat_TcpExt_ListenDrops") == 2
    assert page.value("node_netstat_IpExt_OutOctets") == 500
    assert page.value("node_netstat_Tcp_CurrEstab") == 6
    assert page.value("node_netstat_Udp6_NoPorts") == 1
    assert page.value("node_netstat_UdpLite6_InErrors") == 2


@pytest.mark.parametrize("kind", ["netstat", "sockstat"])
def test_a_machine_without_ipv6_is_told_of_all_the_same(host, tmp_path, kind):
    (tmp_path / "proc/net/snmp6").unlink()
    (tmp_path / "proc/net/sockstat6").unlink()
    assert collected(host, kind).samples


def test_socket_memory_is_told_in_pages_and_in_bytes(host):
    page = collected(host, "sockstat")
    assert page.value("node_sockstat_sockets_used") == 80
    assert page.value("node_sockstat_TCP_mem") == 2
    assert page.value("node_sockstat_TCP_mem_bytes") == 2 * PAGE_BYTES
    assert page.value("node_sockstat_TCP6_inuse") == 4


def test_handles_and_entropy_are_told(host):
    page = collected(host, "system")
    assert page.value("node_filefd_allocated") == 1024
    assert page.value("node_entropy_available_bits") == 256
    assert page.value("node_selinux_enabled") == 0


def test_a_disk_is_described_as_udev_knows_it(host):
    described = {x["device"]: x for x in collected(host, "disk").labels("node_disk_info")}
    assert described["sda"]["model"] == "SSD_1"
    assert described["sda"]["serial"] == "S1"
    assert described["dm-0"]["model"] == ""


def test_run_queues_are_told_in_seconds(host):
    page = collected(host, "schedstat")
    assert page.value("node_schedstat_running_seconds_total", cpu="1") == 4.0
    assert page.value("node_schedstat_waiting_seconds_total", cpu="0") == 0.5
    assert page.value("node_schedstat_timeslices_total", cpu="0") == 77


def test_packets_put_off_are_told_by_cpu(host):
    page = collected(host, "softnet")
    assert page.value("node_softnet_processed_total", cpu="0") == 10
    assert page.value("node_softnet_times_squeezed_total", cpu="0") == 2
    assert page.value("node_softnet_backlog_len", cpu="0") == 6
    assert page.value("node_softnet_processed_total", cpu="2") == 255


def test_udp_queues_are_summed_over_sockets(host):
    page = collected(host, "udp-queues")
    assert page.value("node_udp_queues", ip="v4", queue="tx") == 0x11
    assert page.value("node_udp_queues", ip="v4", queue="rx") == 0x22
    assert page.value("node_udp_queues", ip="v6", queue="rx") is None


def test_connection_tracking_is_summed_over_cpus(host):
    page = collected(host, "conntrack")
    assert page.value("node_nf_conntrack_entries") == 10
    assert page.value("node_nf_conntrack_entries_limit") == 262144
    assert page.value("node_nf_conntrack_stat_found") == 3
    assert page.value("node_nf_conntrack_stat_drop") == 7


def test_neighbours_are_counted_by_device(host):
    assert collected(host, "arp").value("node_arp_entries", device="eth0") == 2


def test_a_bond_tells_how_many_of_its_slaves_are_up(host):
    page = collected(host, "bonding")
    assert page.value("node_bonding_slaves", master="bond0") == 2
    assert page.value("node_bonding_active", master="bond0") == 1


def test_processes_are_counted_by_state_whatever_their_names(host):
    page = collected(host, "processes")
    assert page.value("node_processes_pids") == 2
    assert page.value("node_processes_state", state="S") == 1
    assert page.value("node_processes_threads") == 4
    assert page.value("node_processes_max_threads") == 192731


def test_the_clock_tells_its_source_and_discipline(host):
    page = collected(host, "clock")
    assert page.value("node_time_clocksource_current_info", clocksource="tsc") == 1
    assert len(page.labels("node_time_clocksource_available_info")) == 2
    assert page.value("node_time_seconds") == pytest.approx(time.time(), abs=60)
    assert page.value("node_timex_sync_status") in (0, 1)
    assert page.value("node_timex_tick_seconds") == pytest.approx(0.01, rel=0.2)


def test_a_clock_in_nanoseconds_is_told_in_the_same_unit():
    timex = Timex(status=0x2000, offset=1500, freq=65536 * 100, maxerror=16_000_000)
    told = {family.metric.name: family.samples[0][1] for family in discipline_families(timex)}
    assert told["node_timex_offset_seconds"] == pytest.approx(1.5e-6)
    assert told["node_timex_frequency_adjustment_ratio"] == pytest.approx(1.0001)
    assert told["node_timex_maxerror_seconds"] == pytest.approx(16)


def test_machine_and_system_say_who_they_are(host):
    page = collected(host, "identity")
    (uname,) = page.labels("node_uname_info")
    assert uname["nodename"] == "node-a"
    assert uname["machine"] == "x86_64"
    assert page.value("node_os_version", id="debian", name="Debian GNU/Linux") == 12.5
    assert page.value("node_os_info", pretty_name="Debian GNU/Linux 12 (bookworm)") == 1


def test_temperatures_are_in_degrees_and_a_broken_sensor_is_left_out(host):
    page = collected(host, "thermal")
    assert page.value("node_thermal_zone_temp", type="x86_pkg_temp") == 45.5
    assert page.value("node_thermal_zone_temp", type="broken") is None
    assert page.value("node_cooling_device_max_state", type="Processor") == 10


def test_a_degraded_array_shows_by_its_disks(host):
    page = collected(host, "raid")
    assert page.value("node_md_disks_required", device="md0") == 2
    assert page.value("node_md_disks", device="md0", state="active") == 1
    assert page.value("node_md_disks", device="md0", state="failed") == 1
    assert page.value("node_md_state", device="md0", state="active") == 1


def test_an_array_that_recovers_tells_how_far_it_is(host):
    page = collected(host, "raid")
    assert page.value("node_md_state", device="md1", state="recovering") == 1
    assert page.value("node_md_state", device="md1", state="active") == 0
    assert page.value("node_md_blocks", device="md1") == 3000
    assert page.value("node_md_blocks_synced", device="md1") == 255
    assert page.value("node_md_disks", device="md1", state="spare") == 1
    assert page.value("node_md_state", device="md2", state="inactive") == 1


def test_sensors_keep_the_names_their_drivers_give_them(host):
    page = collected(host, "hwmon")
    chip = "platform_coretemp_0"
    assert page.value("node_hwmon_chip_names", chip=chip, chip_name="coretemp") == 1
    assert page.value("node_hwmon_sensor_label", chip=chip, label="Package id 0") == 1
    assert page.value("node_hwmon_temp_celsius", chip=chip, sensor="temp1") == 55


def test_energy_that_only_root_may_read_is_left_out(host, tmp_path):
    zone = tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj"
    zone.unlink()
    page = collected(host, "power")
    assert page.value("node_rapl_package_joules_total") is None
    assert page.value("node_rapl_core_joules_total", index="0") == 118821.284256
    assert page.value("node_power_supply_online", power_supply="AC") == 0


@pytest.mark.parametrize(
    ("text", "cpus"), [("", []), ("3", [3]), ("0-2,8", [0, 1, 2, 8]), ("1, 4-5\n", [1, 4, 5])]
)
def test_a_list_of_cpus_is_read_as_the_kernel_writes_it(text, cpus):
    assert parse_cpu_list(text) == cpus


def test_threads_are_counted_by_state(host):
    page = collected(host, "processes")
    assert page.value("node_processes_threads") == 4
    assert page.value("node_processes_threads_state", thread_state="R") == 1
    assert page.value("node_processes_state", state="S") == 1


def test_memory_errors_are_told_by_controller(host):
    page = collected(host, "edac")
    assert page.value("node_edac_correctable_errors_total", controller="0") == 3
    assert page.value("node_edac_uncorrectable_errors_total", controller="0") == 1
    row = "node_edac_csrow_correctable_errors_total"
    assert page.value(row, csrow="0") == 1
    assert page.value(row, csrow="unknown") == 2


@pytest.mark.parametrize("kind", HOST_KINDS)
def test_every_kind_collects_from_this_very_machine(kind):
    assert collected(HostSettings(), kind).samples or kind in OF_SOME_MACHINES


@pytest.mark.parametrize("kind", sorted(OF_SOME_MACHINES))
def test_what_a_machine_does_not_have_is_no_error(kind, tmp_path):
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)
    bare = HostSettings(proc=str(tmp_path / "proc"), sys=str(tmp_path / "sys"), root=str(tmp_path))
    assert not collected(bare, kind).samples
