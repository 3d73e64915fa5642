"""systemd's units are told as node_exporter tells them, over its own socket or the bus."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jeepney import DBusAddress, new_method_call, new_method_return
from jeepney.low_level import Parser

from agent.collector import CollectionFailed
from agent.collectors import systemd
from agent.collectors.systemd import SystemdCollector
from agent.dbus.wire import (
    Call,
    MalformedMessage,
    decode,
    encode_call,
    size_of,
    split_signature,
)
from agent.text import Renderer, TextFormat, text_of
from benchmarks import exporters
from benchmarks.scraped import Scraped
from tests.agent.probes import Page
from tests.agent.reading import Reading
from tests.agent.systemd_peer import SystemdPeer, Unit
from tests.ports import free_port

UNITS = [
    Unit("ssh.service", Type="notify"),
    Unit("backup.service", active="failed", Type="oneshot"),
    Unit("getty@tty1.service", active="activating", Type="idle"),
    Unit("ghost.service", active="inactive", load="not-found"),
    Unit("apt-daily.timer", LastTriggerUSec=1_700_000_000_500_000),
    Unit("dbus.socket", NAccepted=5, NConnections=2, NRefused=1),
    Unit("old.socket", NAccepted=1, NConnections=0),
    Unit("home.mount"),
    Unit("system.slice"),
    Unit("multi-user.target"),
]


def text_told(root, **options):
    collector = SystemdCollector(root=str(root), **options)
    families = list(collector.collect())
    collector.close()
    return text_of(Renderer().render(families), TextFormat.PROMETHEUS)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def listen(root):
    """Starts peers at paths under the root."""
    started = []

    def start(path, units=UNITS, **options):
        started.append(SystemdPeer(root / path, units, **options))
        return started[-1]

    yield start
    for peer in started:
        peer.close()


@pytest.fixture(params=[systemd.PRIVATE_SOCKET, systemd.BUS_SOCKET], ids=["private", "bus"])
def page(request, root, listen):
    listen(request.param)
    return Page(text_told(root))


def test_each_unit_is_in_one_state(page):
    state = "node_systemd_unit_state"
    assert page.value(state, name="backup.service", state="failed", type="oneshot") == 1
    assert page.value(state, name="backup.service", state="active") == 0
    assert page.value(state, name="ssh.service", state="active", type="notify") == 1
    told = {labels["name"] for labels in page.labels(state)}
    assert len(page.labels(state)) == 5 * len(told)


def test_devices_mounts_scopes_slices_and_missing_units_are_only_counted(page):
    told = {labels["name"] for labels in page.labels("node_systemd_unit_state")}
    assert told.isdisjoint({"home.mount", "system.slice", "ghost.service"})
    assert page.value("node_systemd_units", state="active") == 7
    assert page.value("node_systemd_units", state="inactive") == 1
    assert page.value("node_systemd_units", state="deactivating") == 0


def test_timers_and_sockets_are_told(page):
    trigger = "node_systemd_timer_last_trigger_seconds"
    assert page.value(trigger, name="apt-daily.timer") == 1_700_000_000.5
    accepted = "node_systemd_socket_accepted_connections_total"
    assert page.value(accepted, name="dbus.socket") == 5
    assert page.value("node_systemd_socket_current_connections", name="dbus.socket") == 2
    refused = "node_systemd_socket_refused_connections_total"
    assert page.value(refused, name="dbus.socket") == 1
    assert page.value(refused, name="old.socket") is None


def test_the_system_is_told(page):
    assert page.value("node_systemd_system_running") == 0
    assert page.value("node_systemd_version", version="252.38-1~deb12u1") == 252.38
    assert page.value("node_systemd_virtualization_info", virtualization_type="kvm") == 1


def test_a_system_in_which_all_is_well_runs(root, listen):
    listen(systemd.PRIVATE_SOCKET, system={"SystemState": "running", "Version": "255"})
    page = Page(text_told(root))
    assert page.value("node_systemd_system_running") == 1
    assert page.value("node_systemd_version", version="255") == 255


def test_the_type_of_a_service_is_asked_for_once(root, listen):
    peer = listen(systemd.PRIVATE_SOCKET)
    collector = SystemdCollector(root=str(root))
    for _ in range(2):
        list(collector.collect())
    types = [path for path, member, body in peer.asked if body[-1:] == ("Type",)]
    assert len(types) == len(set(types)) == 3


def test_of_too_many_units_those_that_failed_come_first(root, listen):
    listen(systemd.PRIVATE_SOCKET)
    page = Page(text_told(root, most_units=1))
    assert {labels["name"] for labels in page.labels("node_systemd_unit_state")} == {
        "backup.service"
    }


def test_hundreds_of_units_are_told(root, listen):
    listen(systemd.PRIVATE_SOCKET, [Unit(f"job-{n}.service", Type="simple") for n in range(300)])
    page = Page(text_told(root))
    assert page.value("node_systemd_unit_state", name="job-299.service", state="active") == 1


def test_where_systemd_is_not_in_charge_there_is_nothing(tmp_path):
    assert text_told(tmp_path) == b""


def test_a_systemd_that_nobody_may_ask_is_a_failure_with_a_reason(root):
    with pytest.raises(CollectionFailed) as caught:
        text_told(root)
    assert caught.value.reason == "connection"


def test_a_systemd_that_does_not_answer_is_given_up(root, listen, monkeypatch):
    monkeypatch.setattr(systemd, "ANSWER_SECONDS", 0.2)
    ended = threading.Event()
    peer = listen(systemd.PRIVATE_SOCKET)
    peer.answer = lambda _: ended.wait(20) and None
    try:
        with pytest.raises(CollectionFailed) as caught:
            text_told(root)
    finally:
        ended.set()
    assert caught.value.reason == "timeout"


def test_who_is_not_let_in_says_so(root, listen):
    peer = listen(systemd.PRIVATE_SOCKET)
    peer.greeting = lambda _: b"REJECTED EXTERNAL\r\n"
    with pytest.raises(CollectionFailed, match="not let in"):
        text_told(root)


@pytest.mark.live
def test_node_exporter_tells_the_same_of_the_same_bus(root, listen):
    program = exporters.find_one("prometheus-node-exporter", exporters.CACHE)
    listen(systemd.BUS_SOCKET)
    port = free_port()
    address = f"unix:path={root / systemd.BUS_SOCKET}"
    process = Scraped(
        "node_exporter",
        [
            str(program), f"--web.listen-address=127.0.0.1:{port}",
            "--collector.disable-defaults", "--collector.systemd",
            f"--collector.systemd.unit-exclude={systemd.IGNORED_UNITS}",  # Debian adds targets
        ],
        port,
        {"DBUS_SYSTEM_BUS_ADDRESS": address},
    )  # fmt: skip
    try:
        process.wait_until_it_answers()
        theirs = Reading.read(process.scrape()[1].decode())
    finally:
        process.stop()
    ours = Reading.read(text_told(root).decode())
    names = {name for name in theirs.names() if name.startswith("node_systemd_")}
    assert len(names) >= 8
    assert theirs.only(names).values == ours.only(names).values
    assert names | {"node_systemd_virtualization_info"} == ours.names()
    for name, kind in ours.types.items():
        assert theirs.types.get(name, kind) == kind


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(arguments=st.lists(TEXT, max_size=3))
def test_a_call_is_read_by_others_as_it_was_meant(arguments):
    call = Call("/a/b", "org.example.A", "Ask", arguments, "org.example")
    parser = Parser()
    parser.add_data(encode_call(call, 7))
    message = parser.get_next_message()
    expected = new_method_call(
        DBusAddress("/a/b", "org.example", "org.example.A"),
        "Ask",
        "s" * len(arguments) if arguments else None,
        tuple(arguments),
    )
    assert message.body == expected.body
    assert message.header.fields == expected.header.fields
    assert message.header.serial == 7


@given(
    rows=st.lists(st.tuples(TEXT, st.integers(0, 2**32 - 1), st.booleans()), max_size=5),
    number=st.integers(-(2**63), 2**63 - 1),
    pairs=st.dictionaries(TEXT, TEXT, max_size=3),
    ratio=st.floats(allow_nan=False),
)
def test_an_answer_of_others_is_read_as_it_was_meant(rows, number, pairs, ratio):
    call = new_method_call(DBusAddress("/", "org.example"), "Ask")
    call.header.serial = 9
    body = (rows, ("x", number), pairs, ratio, ("as", list(pairs)))
    data = new_method_return(call, "a(sub)va{ss}dv", body).serialise(serial=1)
    assert size_of(data[:16]) == len(data)
    message = decode(data)
    assert message.reply_serial == 9
    assert message.body == [rows, number, list(pairs.items()), ratio, list(pairs)]


@pytest.mark.parametrize("signature", ["a()", "(", "a", "{}", "as(", "r", "a" * 70, "(" * 70])
def test_what_is_no_signature_is_refused(signature):
    with pytest.raises(MalformedMessage):
        split_signature(signature)


def test_a_variant_of_two_values_is_refused():
    call = new_method_call(DBusAddress("/", "org.example"), "Ask")
    call.header.serial = 9
    data = new_method_return(call, "v", (("u", 1),)).serialise(serial=1)
    with pytest.raises(MalformedMessage):
        decode(data.replace(b"\x01u\0\0", b"\x02uu\0"))


@given(data=st.binary(max_size=80), head=st.sampled_from([b"", b"l\2\0\1", b"B\3\0\1"]))
def test_whatever_comes_is_read_or_refused(data, head):
    whole = head + data
    try:
        size_of(whole[:16])
        decode(whole)
    except MalformedMessage:
        refused = True
    else:
        refused = False
    assert refused or len(whole) >= 16
