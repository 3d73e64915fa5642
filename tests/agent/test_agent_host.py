"""The host collectors read the kernel's files as node_exporter does."""

import os

import pytest

from agent.collectors import HOST_KINDS, make
from agent.settings import HostSettings
from agent.text import Renderer, TextFormat, page
from tests.agent import machine
from tests.agent.probes import Page
from watchkeeper.errors import WatchkeeperError

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def host(tmp_path):
    return HostSettings(**machine.build(tmp_path))


def collected(host, kind):
    collector = make(kind, host.paths_of(kind))
    body = page(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS)
    collector.close()
    return Page(body)


def test_cpu_time_is_told_by_cpu_and_mode_in_seconds(host):
    page = collected(host, "cpu")
    assert page.value("node_cpu_seconds_total", cpu="1", mode="user") == 2.0
    assert page.value("node_cpu_seconds_total", cpu="0", mode="steal") == 0.01
    assert page.value("node_cpu_guest_seconds_total", cpu="0", mode="user") == 0.1
    assert len(page.labels("node_cpu_seconds_total")) == 16
    assert page.value("node_intr_total") == 123456
    assert page.value("node_boot_time_seconds") == 1700000000
    assert page.value("node_procs_running") == 3


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


def test_a_kernel_without_pressure_is_told_so(host, tmp_path):
    for name in ("cpu", "memory", "io"):
        (tmp_path / "proc/pressure" / name).unlink()
    with pytest.raises(WatchkeeperError, match=r"it needs Linux 4\.20"):
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


def test_a_file_system_that_cannot_be_asked_is_an_error_and_has_no_size(host):
    page = collected(host, "filesystem")
    assert page.value("node_filesystem_device_error", mountpoint="/mnt/gone") == 1
    assert page.value("node_filesystem_size_bytes", mountpoint="/mnt/gone") is None
    assert page.value("node_filesystem_device_error", mountpoint="/") == 0


def test_network_devices_are_told_with_their_link(host):
    page = collected(host, "network")
    assert page.value("node_network_receive_bytes_total", device="eth0") == 1000
    assert page.value("node_network_transmit_colls_total", device="eth0") == 6
    assert page.value("node_network_transmit_carrier_total", device="eth0") == 7
    assert page.value("node_network_up", device="eth0") == 1
    assert page.value("node_network_up", device="lo") == 0
    assert page.value("node_network_speed_bytes", device="eth0") == 125_000_000
    assert page.value("node_network_speed_bytes", device="lo") is None
    assert page.value("node_network_flags", device="eth0") == 0x1003
    info = next(x for x in page.labels("node_network_info") if x["device"] == "eth0")
    assert info["adminstate"] == "up"
    assert info["duplex"] == "full"


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


def test_the_machine_says_who_it_is(host):
    page = collected(host, "system")
    (uname,) = page.labels("node_uname_info")
    assert uname["nodename"] == "node-a"
    assert uname["machine"] == "x86_64"
    assert page.value("node_filefd_allocated") == 1024
    assert page.value("node_entropy_available_bits") == 256
    assert page.value("node_nf_conntrack_entries") is None


@pytest.mark.parametrize("kind", HOST_KINDS)
def test_every_kind_collects_from_this_very_machine(kind):
    collected(HostSettings(), kind)
