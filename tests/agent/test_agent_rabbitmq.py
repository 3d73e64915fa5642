"""Beside RabbitMQ's own plugin: the same names, types, labels and values, of one real server."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from celery import Celery
from kombu import Connection, Queue
from prometheus_client.parser import text_string_to_metric_families

import agent
from agent.collector import CollectionFailed
from agent.collectors.rabbitmq import RabbitmqCollector
from agent.rabbitmq.queues import parse_name
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probes import Page
from tests.agent.rabbitmq_server import PROGRAM, serving
from tests.waiting import wait_until, wait_until_holds
from watchkeeper.catalogue import rabbitmq
from watchkeeper.errors import Reason

pytestmark = pytest.mark.live

DOCUMENT = (Path(agent.__file__).parents[1] / "docs" / "agent-queues.md").read_text()

OURS_ALONE = {"rabbitmq_up"}

OTHER_LABELS = {"rabbitmq_build_info", "rabbitmq_identity_info"}
"""Families with fewer labels than the plugin's; docs/agent-queues.md says which and why."""

MOVES = (
    "rabbitmq_process_resident_memory_bytes", "rabbitmq_queue_process_", "rabbitmq_erlang_",
    "rabbitmq_disk_space_available_bytes", "rabbitmq_io_", "rabbitmq_process_open_fds",
)  # fmt: skip
"""What moves by itself between two readings, half a second of statistics apart."""


STAYS = "rabbitmq_channel_"
"""Totals from which the plugin takes a channel's share when the channel closes."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if not PROGRAM.exists():
        pytest.skip("RabbitMQ is not installed")
    with serving(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture
def collector(server):
    collector = collector_of(server.url)
    yield collector
    collector.close()


def collector_of(
    url, *, user="guest", password="guest", task_queues=(), timeout_seconds=5.0, queues=50
):
    return RabbitmqCollector(
        url=url, user=user, password=password, queues=queues, task_queues=task_queues,
        timeout_seconds=timeout_seconds,
    )  # fmt: skip


def text(collector):
    return text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS)


def collected(collector):
    return Page(text(collector))


@pytest.fixture(scope="module")
def busy(server):
    """A queue of three messages of which a consumer that stays took one."""
    with Connection(server.broker_url) as connection:
        channel = connection.channel()
        queue = Queue("busy", durable=True, channel=channel)
        queue.declare()
        producer = connection.Producer(channel)
        for number in range(3):
            producer.publish({"n": number}, routing_key="busy", delivery_mode=2)
        consumer = connection.Consumer(
            queue, channel=channel, callbacks=[lambda *_: None], prefetch_count=1
        )
        consumer.consume()
        connection.drain_events(timeout=10)
        yield queue
        consumer.cancel()


@pytest.fixture
def side_by_side(server, busy, collector):
    """(the plugin's types and values before, ours, the plugin's after), once they have settled."""

    def settled():
        page = collected(collector)
        unacked = page.value("rabbitmq_queue_messages_unacked", queue="busy")
        return unacked == 1 and page.value("rabbitmq_channel_messages_published_total")

    wait_until(settled, what="the statistics of the queue")
    before = plugin(server)
    ours = read(text(collector))
    return before, ours, plugin(server)


def plugin(server):
    """What it tells altogether, and queue by queue."""
    types, values = read(server.page().encode())
    more_types, more_values = read(server.page("/metrics/per-object").encode())
    whole = {key: value for key, value in values.items() if "_queue_" not in key[0]}
    each = {key: value for key, value in more_values.items() if "_queue_" in key[0]}
    return types | more_types, whole | each


def read(page):
    families = list(text_string_to_metric_families(page.decode()))
    types = {family.name: family.type for family in families}
    values = {
        (sample.name, without_server(sample.labels)): sample.value
        for family in families
        for sample in family.samples
    }
    return types, values


def without_server(labels):
    return frozenset((name, value) for name, value in labels.items() if name != "server")


def test_every_family_is_one_of_the_plugins_with_its_type_and_labels(side_by_side):
    (types, theirs), (our_types, ours), _ = side_by_side
    names = {name for name, _ in ours} - OURS_ALONE
    assert len(names) > 60
    assert names <= {name for name, _ in theirs}
    plain = {name for name in our_types if name.startswith("rabbitmq_")} - OURS_ALONE
    assert {name: types[name] for name in plain} == {name: our_types[name] for name in plain}
    same = names - OTHER_LABELS
    assert labels_of(ours, same) == labels_of(theirs, same)


def labels_of(values, names):
    return {(name, *sorted(dict(labels))) for name, labels in values if name in names}


def test_values_agree_when_read_at_the_same_time(side_by_side, server, collector):
    def agree():  # as soon as the statistics we are told, which are seconds old, have caught up
        (_, before), (_, ours), (_, after) = plugin(server), read(text(collector)), plugin(server)
        checked, different = compared(before, ours, after)
        assert checked > 40
        assert not different

    wait_until_holds(agree)


def compared(before, ours, after):
    """Return how many values were compared, and those that differ."""
    checked, different = 0, {}
    for series, value in ours.items():
        if series[0].startswith(MOVES) or series not in before or series not in after:
            continue
        low, high = sorted((before[series], after[series]))
        if series[0].startswith(STAYS):
            high = max(high, value)
        tolerance = max(1.0 if series[0].endswith("_total") else 0.0, 0.02 * abs(high))
        checked += 1
        if not low - tolerance <= value <= high + tolerance:
            different[series] = (low, value, high)
    return checked, different


def test_every_family_of_the_plugin_that_is_left_out_is_documented(side_by_side):
    (_, theirs), (_, ours), _ = side_by_side
    left_out = {n for n, _ in theirs if n.startswith("rabbitmq_")} - {n for n, _ in ours}
    documented = tuple(name.rstrip("*") for name in documented_patterns())
    assert {name for name in left_out if not name.startswith(documented)} == set()


def documented_patterns():
    (paragraph,) = (p for p in DOCUMENT.split("\n\n") if p.startswith("Not told of RabbitMQ"))
    return [word.strip("`,.") for word in paragraph.split() if word.startswith("`rabbitmq_")]


def test_celerys_tasks_on_rabbitmq_are_told_in_the_words_of_all_queues(server):
    application = Celery("shop", broker=server.broker_url)
    for _ in range(3):
        application.send_task("shop.pack", queue="orders")
    application.close()
    collector = collector_of(server.url, task_queues=["orders"])
    wait_until(
        lambda: collected(collector).value("task_queue_depth", queue="orders") == 3,
        what="the depth of the queue",
    )
    page = collected(collector)
    collector.close()
    assert page.value("task_queue_in_flight", queue="orders") == 0
    assert page.value("task_workers", queue="orders") == 0
    assert page.value("celery_queue_length", queue_name="orders") == 3
    assert page.value("celery_active_consumer_count", queue_name="orders") == 0


def test_dramatiqs_queues_beside_a_queue_are_what_is_delayed_and_dead(server):
    for name, messages in (("mail", 1), ("mail.DQ", 2), ("mail.XQ", 3)):
        server.call("PUT", f"queues/%2F/{name}", durable=True)
        for _ in range(messages):
            server.call(
                "POST", "exchanges/%2F/amq.default/publish",
                properties={}, routing_key=name, payload="x", payload_encoding="string",
            )  # fmt: skip
    collector = collector_of(server.url, task_queues=["mail"])
    wait_until(
        lambda: collected(collector).value("task_queue_dead_letters", queue="mail") == 3,
        what="the dead letters",
    )
    page = collected(collector)
    collector.close()
    assert page.value("task_queue_delayed", queue="mail") == 2
    assert page.value("task_queue_depth", queue="mail") == 1


def test_queues_of_tasks_are_told_of_though_others_are_fuller_and_apart_by_virtual_host(server):
    for vhost in ("prod", "test/a"):
        server.call("PUT", f"vhosts/{quote(vhost, safe='')}")
        server.call("PUT", f"permissions/{quote(vhost, safe='')}/guest", configure=".*",
                    write=".*", read=".*")  # fmt: skip
    for place, messages in (("%2F/full", 9), ("prod/work", 2), ("test%2Fa/work", 1), ("%2F/a", 0)):
        vhost, name = place.split("/")
        server.call("PUT", f"queues/{vhost}/{name}", durable=True)
        for _ in range(messages):
            server.call(
                "POST", f"exchanges/{vhost}/amq.default/publish",
                properties={}, routing_key=name, payload="x", payload_encoding="string",
            )  # fmt: skip
    names = ["a", "prod/work", "test%2Fa/work", "nowhere/work", "nothing"]
    collector = collector_of(server.url, task_queues=names, queues=1)

    def depths():
        page = collected(collector)
        return [page.value("task_queue_depth", queue=name) for name in names]

    wait_until(lambda: depths() == [0, 2, 1, None, None], what="the depths of the queues")
    collector.close()


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("work", ("/", "work")),
        ("prod/work", ("prod", "work")),
        ("a%2Fb/work", ("a/b", "work")),
        ("/a/b", ("/", "a/b")),
    ],
)
def test_a_queue_is_written_with_its_virtual_host_before_a_slash(written, place):
    assert parse_name(written) == place


def failure(collector):
    with pytest.raises(CollectionFailed) as caught:
        collected(collector)
    collector.close()
    (down,) = caught.value.families
    assert (down.metric, down.samples[0][1]) == (rabbitmq.UP, 0)
    return caught.value


def test_a_password_that_is_refused_is_told_without_showing_it(server):
    failed = failure(collector_of(server.url, password="wrong"))
    assert failed.reason is Reason.AUTHENTICATION
    assert "wrong" not in str(failed)


def test_a_user_needs_the_tag_monitoring_and_is_taken_up_once_it_is_there(server):
    server.call("PUT", "users/watcher", password="pw", tags="")
    server.call("PUT", "permissions/%2F/watcher", configure="", write="", read="")
    watching = collector_of(server.url, user="watcher", password="pw")
    # RabbitMQ answers one without the tag as it answers a wrong password.
    assert failure(watching).reason is Reason.AUTHENTICATION
    server.call("PUT", "users/watcher", password="pw", tags="monitoring")
    assert collected(watching).value("rabbitmq_up") == 1
    watching.close()


def test_a_server_that_is_not_there_is_told():
    assert failure(collector_of("http://127.0.0.1:1")).reason is Reason.CONNECTION


def test_a_server_that_accepts_and_says_nothing_is_given_up_on(silent_port):
    url = f"http://127.0.0.1:{silent_port}"
    assert failure(collector_of(url, timeout_seconds=0.2)).reason is Reason.TIMEOUT


@contextlib.contextmanager
def answering(status, body):
    class Stranger(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        stranger.daemon_threads = True
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{stranger.server_address[1]}"
        stranger.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, b"hello", Reason.BAD_ANSWER),
        (200, b"[]", Reason.BAD_ANSWER),
        (200, b"{}", Reason.BAD_ANSWER),
        (503, b"", Reason.HTTP_STATUS),
        (403, b"", Reason.PERMISSION),
    ],
)
def test_a_server_that_is_no_rabbitmq_is_told(status, body, reason):
    with answering(status, body) as url:
        assert failure(collector_of(url)).reason is reason
