"""Network devices are told as /proc and /sys would, from one question to the kernel."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import netlink
from agent.collectors.network import NetworkCollector
from agent.netlink import Link, messages, parse_link, read_links
from agent.text import Renderer, TextFormat, text_of
from tests.agent import machine
from tests.agent.probes import Page

ROW = dict.fromkeys(netlink.STATISTICS, 0)


def link(name="eth0", *, index=2, flags=0x11043, kind=1, statistics=None, **attributes):
    counters = ROW | (statistics or {})
    packed = {
        netlink.IFLA_IFNAME: name.encode() + b"\0",
        netlink.IFLA_STATS64: struct.pack(f"={len(counters)}Q", *counters.values()),
        netlink.IFLA_OPERSTATE: b"\x06",
        netlink.IFLA_CARRIER: b"\x01",
        netlink.IFLA_CARRIER_CHANGES: struct.pack("=I", 2),
        netlink.IFLA_MTU: struct.pack("=I", 1500),
        netlink.IFLA_ADDRESS: bytes.fromhex("020000000001"),
    }
    packed |= {getattr(netlink, f"IFLA_{key.upper()}"): raw for key, raw in attributes.items()}
    return Link(name, index, kind, flags, packed)


def collected(*links, sys="/sys"):
    collector = NetworkCollector(sys=sys, read_links=lambda: links)
    return Page(text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS))


def test_a_device_is_told_with_its_counters_and_state():
    page = collected(link(statistics={"rx_bytes": 1000, "collisions": 6, "rx_nohandler": 3}))
    assert page.value("node_network_receive_bytes_total", device="eth0") == 1000
    assert page.value("node_network_transmit_colls_total", device="eth0") == 6
    assert page.value("node_network_receive_nohandler_total", device="eth0") == 3
    assert page.value("node_network_up", device="eth0") == 1
    assert page.value("node_network_mtu_bytes", device="eth0") == 1500
    assert page.value("node_network_iface_id", device="eth0") == 2
    (info,) = page.labels("node_network_info")
    assert info["address"] == "02:00:00:00:00:01"
    assert info["operstate"] == "up"
    assert info["adminstate"] == "up"


def test_errors_are_summed_as_the_kernel_sums_them():
    page = collected(
        link(
            statistics={
                "rx_dropped": 1, "rx_missed_errors": 2, "rx_length_errors": 4, "rx_crc_errors": 8,
                "tx_carrier_errors": 16, "tx_aborted_errors": 32,
            }
        )
    )  # fmt: skip
    assert page.value("node_network_receive_drop_total") == 3
    assert page.value("node_network_receive_frame_total") == 12
    assert page.value("node_network_transmit_carrier_total") == 48


def test_flags_are_those_that_sys_shows():
    promiscuous = {"promiscuity": struct.pack("=I", 1)}
    assert link(flags=0x11043).own_flags == 0x1003
    assert link(flags=0x11043, **promiscuous).own_flags == 0x1103


def test_a_device_that_is_switched_off_has_no_carrier_to_tell():
    page = collected(link(flags=0x1002, operstate=b"\x02"))
    assert page.value("node_network_carrier") is None
    assert page.value("node_network_up") == 0


def test_speed_and_duplex_come_from_sys_where_the_device_has_them(tmp_path):
    sys = machine.build(tmp_path)["sys"]
    page = collected(link("eth0"), link("lo", index=1), sys=sys)
    assert page.value("node_network_speed_bytes", device="eth0") == 125_000_000
    assert page.value("node_network_speed_bytes", device="lo") is None
    assert page.value("node_network_address_assign_type", device="eth0") == 3
    duplex = {labels["device"]: labels["duplex"] for labels in page.labels("node_network_info")}
    assert duplex == {"eth0": "full", "lo": ""}


def test_files_are_read_again_when_the_carrier_changed(tmp_path):
    sys = machine.build(tmp_path)["sys"]
    links = [link(carrier_changes=struct.pack("=I", 1))]
    collector = NetworkCollector(sys=sys, read_links=lambda: links)

    def speed():
        families = {family.metric.name: family.samples for family in collector.collect()}
        return families["node_network_speed_bytes"][0][1]

    assert speed() == 125_000_000
    (tmp_path / "sys/class/net/eth0/speed").write_text("10000\n")
    assert speed() == 125_000_000
    links[:] = [link(carrier_changes=struct.pack("=I", 2))]
    assert speed() == 1_250_000_000


def test_this_machine_is_told_as_its_files_tell_it():
    page = collected(*read_links())
    devices = {path.name for path in Path("/sys/class/net").iterdir() if path.is_dir()}
    assert {labels["device"] for labels in page.labels("node_network_info")} == devices
    for device in devices:
        files = Path("/sys/class/net") / device
        for metric, file in (("mtu_bytes", "mtu"), ("flags", "flags"), ("iface_id", "ifindex"),
                             ("iface_link", "iflink"), ("protocol_type", "type"),
                             ("transmit_queue_length", "tx_queue_len")):  # fmt: skip
            told = page.value(f"node_network_{metric}", device=device)
            assert told == int((files / file).read_text(), 0), (device, metric)
        state = (files / "operstate").read_text().strip()
        assert page.value("node_network_up", device=device) == (state == "up")


def test_counters_never_run_ahead_of_the_kernels_own_table():
    before = collected(*read_links())
    rows = Path("/proc/net/dev").read_text().splitlines()[2:]
    after = collected(*read_links())
    for row in rows:
        device, _, numbers = row.partition(":")
        received = int(numbers.split()[0])
        low = before.value("node_network_receive_bytes_total", device=device.strip())
        high = after.value("node_network_receive_bytes_total", device=device.strip())
        assert low <= received <= high


@given(st.binary(max_size=200))
def test_an_answer_cut_short_is_read_as_far_as_it_goes(body):
    for _, message in messages(body):
        assert len(message) <= len(body)
    parse_link(struct.pack("=BxHiII", 0, 1, 1, 1, 0) + body)


@pytest.mark.parametrize("state", [0, 6, 200])
def test_a_state_nobody_knows_is_unknown(state):
    expected = "up" if state == 6 else "unknown"
    assert link(operstate=bytes([state])).operational_state == expected
