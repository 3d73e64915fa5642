"""Pushing to an OpenTelemetry receiver: nothing is lost that fits, nothing is sent twice."""

import random
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.configured import read_configured
from agent.family import Family, single
from agent.otlp.delivery import Fate, retry_after_seconds, verdict_on
from agent.otlp.message import request_of
from agent.otlp.pusher import Pusher
from agent.otlp.receiver import Receiver
from agent.otlp.spool import Spool
from agent.reading import Reading
from agent.text_reader import MalformedText, read_families
from tests.agent.otlp_receiver import OtlpReceiver
from tests.agent.running_agent import RunningAgent
from tests.waiting import wait_until
from watchkeeper.catalogue.metric import counter, gauge, histogram, summary, untyped
from watchkeeper.errors import ConfigError
from watchkeeper.outbound import Answer

WARMTH = gauge("room_celsius", "Warmth.", ("room", "floor"))
VISITS = counter("room_visits_total", "Visits.", ("room",))
FOREIGN = counter("pg_stat_database_xact_commit", "Named by others.")
STAY = histogram("room_stay_seconds", "Stays.", ("room",), unit="seconds")
NOISE = summary("room_noise", "Noise.")
ODD = untyped("room_odd", "Without a type.")
NOW = 1_800_000_000 * 10**9


def sent(*families):
    """The metrics of one message, by name."""
    request = request_of([Reading(families, NOW)], {"service.name": "agent"})
    (resource,) = request.resource_metrics
    assert resource.resource.attributes[0].value.string_value == "agent"
    return {metric.name: metric for metric in resource.scope_metrics[0].metrics}


def labels(point):
    return {one.key: one.value.string_value for one in point.attributes}


def test_a_gauge_keeps_name_labels_value_and_time():
    metric = sent(Family(WARMTH, [(("hall", ""), 21.5), (("attic", "2"), 18)]))["room_celsius"]
    first, second = metric.gauge.data_points
    assert (first.as_double, second.as_int) == (21.5, 18)
    assert (labels(first), labels(second)) == ({"room": "hall"}, {"room": "attic", "floor": "2"})
    assert first.time_unix_nano == NOW


def test_a_counter_is_a_monotonic_sum_without_total():
    metrics = sent(single(VISITS, 3, ("hall",)), single(FOREIGN, 2**70), single(ODD, 1))
    assert set(metrics) == {"room_visits", "pg_stat_database_xact_commit", "room_odd"}
    assert metrics["room_visits"].sum.is_monotonic
    assert metrics["pg_stat_database_xact_commit"].sum.data_points[0].as_double == 2.0**70
    assert metrics["room_odd"].HasField("gauge")


def test_a_histogram_is_told_by_bucket():
    bounds = [(("hall", "1"), 2), (("hall", "5"), 3), (("hall", "+Inf"), 7)]
    metric = sent(
        Family(STAY, bounds, suffix="_bucket", extra_labels=("le",)),
        Family(STAY, [(("hall",), 41.5)], suffix="_sum"),
        Family(STAY, [(("hall",), 7)], suffix="_count"),
    )["room_stay_seconds"]
    (point,) = metric.histogram.data_points
    assert list(point.explicit_bounds) == [1, 5]
    assert list(point.bucket_counts) == [2, 1, 4]
    assert (point.count, point.sum, labels(point)) == (7, 41.5, {"room": "hall"})


def test_a_summary_is_told_by_quantile():
    metric = sent(
        Family(NOISE, [(("0.5",), 40.0), (("0.99",), 80.0)], extra_labels=("quantile",)),
        single(NOISE, 1),
        Family(NOISE, [((), 12)], suffix="_count"),
    )["room_noise"]
    (point,) = metric.summary.data_points
    assert [(q.quantile, q.value) for q in point.quantile_values] == [(0.5, 40), (0.99, 80)]
    assert point.count == 12


def read_from(text):
    """What a text file is told as."""
    return [part for one in read_families(text).values() for part in one.families("Help.")]


@pytest.mark.parametrize("labels_of_a_bucket", ['job="nightly",le="%s"', 'le="%s",job="nightly"'])
def test_a_histogram_of_a_text_file_is_told_whatever_the_order_of_its_labels(labels_of_a_bucket):
    lines = [
        "a_bucket{" + labels_of_a_bucket % bound + f"}} {count}\n"
        for bound, count in (("1", 2), ("+Inf", 3))
    ]
    told = 'a_bucket{job="daily",le="+Inf"} 9\na_count{job="daily"} 9\n'
    totals = 'a_sum{job="nightly"} 5\na_count{job="nightly"} 3\n'
    metric = sent(*read_from("# TYPE a histogram\n" + "".join(lines) + told + totals))["a"]
    by_job = {labels(point)["job"]: point for point in metric.histogram.data_points}
    assert list(by_job["nightly"].bucket_counts) == [2, 1]
    assert (by_job["nightly"].count, by_job["nightly"].sum) == (3, 5)
    assert by_job["daily"].count == 9


def test_a_histogram_without_its_last_bucket_ends_with_its_count():
    text = '# TYPE a histogram\na_bucket{le="1"} 2\na_count 3\n'
    (point,) = sent(*read_from(text))["a"].histogram.data_points
    assert (list(point.explicit_bounds), list(point.bucket_counts)) == ([1], [2, 1])


LABELS = st.dictionaries(
    st.sampled_from(["le", "quantile", "job"]), st.sampled_from(["1", "9", "x"])
)
PARTS_OF_NAMES = st.sampled_from(["", "_bucket", "_sum", "_count"])


@given(
    kind=st.sampled_from(["histogram", "summary"]),
    samples=st.lists(
        st.tuples(PARTS_OF_NAMES, LABELS, st.floats() | st.integers(-5, 2**70)), max_size=8
    ),
)
def test_whatever_a_text_file_may_say_can_be_told(kind, samples):
    text = f"# TYPE a {kind}\n"
    for part, labelled, value in samples:
        inner = ",".join(f'{k}="{v}"' for k, v in labelled.items())
        line = f"a{part}{{{inner}}} {value}\n"
        try:
            read_families(text + line)
        except MalformedText:
            continue
        text += line
    for metric in sent(*read_from(text)).values():
        for point in metric.histogram.data_points:
            assert len(point.bucket_counts) in (0, len(point.explicit_bounds) + 1)
            assert sum(point.bucket_counts) == point.count or not point.bucket_counts


@given(sizes=st.lists(st.integers(0, 40), max_size=30), bound=st.integers(1, 100))
def test_the_buffer_keeps_the_newest_that_fit_and_counts_the_rest(tmp_path_factory, sizes, bound):
    directory = tmp_path_factory.mktemp("spool")
    spool = Spool(directory, bound)
    for size in sizes:
        spool.add(b"x" * size)
        assert spool.size_bytes <= bound
    assert len(spool) + spool.dropped == len(sizes)
    again = Spool(directory, bound)
    kept = []
    while (entry := again.oldest()) is not None:
        kept.append(entry.size_bytes)
        again.remove(entry)
    fitting = [size for size in sizes if size <= bound]
    assert kept == fitting[len(fitting) - len(kept) :]


def test_what_its_writer_did_not_finish_is_not_sent(tmp_path):
    (tmp_path / "0000000000000007.part").write_bytes(b"half")
    (tmp_path / "0000000000000006.otlp").write_bytes(b"whole")
    spool = Spool(tmp_path, 100)
    assert [path.name for path in tmp_path.iterdir()] == ["0000000000000006.otlp"]
    spool.add(b"next")
    assert (tmp_path / "0000000000000007.otlp").read_bytes() == b"next"


def test_what_somebody_else_put_into_the_buffer_is_left_alone(tmp_path):
    (tmp_path / "notes.otlp").write_bytes(b"not ours")
    (tmp_path / "0000000000000000.otlp").mkdir()
    spool = Spool(tmp_path, 100)
    assert spool.oldest() is None
    with pytest.raises(OSError, match="directory"):
        spool.add(b"has no place")
    spool.add(b"ours")
    assert spool.oldest().path.read_bytes() == b"ours"
    assert (tmp_path / "notes.otlp").exists()


@pytest.mark.parametrize(
    ("status", "fate"),
    [(200, Fate.TAKEN), (400, Fate.REFUSED), (401, Fate.REFUSED), (404, Fate.REFUSED),
     (500, Fate.REFUSED), (429, Fate.LATER), (502, Fate.LATER), (503, Fate.LATER),
     (504, Fate.LATER), (302, Fate.REFUSED)],
)  # fmt: skip
def test_only_what_may_pass_is_tried_again(status, fate):
    assert verdict_on(Answer(status, {}, b""), datetime.now(UTC)).fate is fate


MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("99999999", 3600.0),
        (format_datetime(MOMENT + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(MOMENT - timedelta(seconds=90), usegmt=True), 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_a_receiver_may_say_how_long_it_wants_to_be_left_alone(text, seconds):
    assert retry_after_seconds(text, MOMENT) == seconds


@pytest.fixture
def receiver():
    receiver = OtlpReceiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def pusher(receiver, tmp_path):
    def readings():
        return [Reading([single(WARMTH, 21.5, ("hall", "1"))], time.time_ns())]

    target = Receiver(receiver.url, 60.0, {"X-Key": "k"}, {}, str(tmp_path), 1 << 20)
    return Pusher(target, readings, random.Random(1))


def told(pusher, name, /, *labels):
    values = {family.metric.name: dict(family.samples) for family in pusher.families()}
    return values[f"watchkeeper_otlp_{name}"].get(labels, 0)


def test_what_is_taken_is_sent_once_with_the_headers_of_the_configuration(pusher, receiver):
    pusher.take()
    assert pusher.send_oldest() == 0
    assert pusher.send_oldest() is None
    ((path, headers),) = receiver.asked
    assert (path, headers["X-Key"]) == ("/v1/metrics", "k")
    assert [metric.name for metric in receiver.metrics()] == ["room_celsius"]
    assert told(pusher, "pushed_total") == 1
    assert told(pusher, "buffered_messages") == 0


def test_an_absent_receiver_costs_nothing_that_fits_and_gets_all_in_order(pusher, receiver):
    receiver.answers = [(503, {})] * 2
    for _ in range(3):
        pusher.take()
    first, second = pusher.send_oldest(), pusher.send_oldest()
    assert 0 < first < second
    assert told(pusher, "last_push_successful") == 0
    assert told(pusher, "buffered_messages") == 3
    while pusher.send_oldest() is not None:
        pass
    assert receiver.times() == sorted(receiver.times())
    assert len(receiver.times()) == 3
    assert told(pusher, "last_push_successful") == 1


def test_a_receiver_that_asks_for_time_gets_it(pusher, receiver):
    receiver.answers = [(429, {"Retry-After": "17"})]
    pusher.take()
    assert pusher.send_oldest() == 17


def test_a_message_that_is_refused_does_not_hold_up_the_next(pusher, receiver):
    receiver.answers = [(400, {})]
    for _ in range(2):
        pusher.take()
    assert [pusher.send_oldest(), pusher.send_oldest(), pusher.send_oldest()] == [0, 0, None]
    assert told(pusher, "dropped_total", "refused") == 1
    assert told(pusher, "pushed_total") == 1


def test_points_that_were_left_out_are_counted(pusher, receiver):
    receiver.rejected_points = 4
    pusher.take()
    pusher.send_oldest()
    assert told(pusher, "rejected_points_total") == 4


def test_a_buffer_that_cannot_be_written_is_counted_and_survived(pusher, tmp_path, receiver):
    pusher.take()
    for path in tmp_path.iterdir():
        path.unlink()
    tmp_path.rmdir()
    pusher.take()
    assert told(pusher, "dropped_total", "storage") == 1
    tmp_path.mkdir()
    pusher.take()
    while pusher.send_oldest() is not None:
        pass
    assert len(receiver.taken) == 1


def test_a_message_that_cannot_be_made_shows_and_costs_no_other(receiver, tmp_path):
    broken = Reading([Family(WARMTH, [(("a label too few",), 1)])], NOW)
    readings = [[broken], [Reading([single(WARMTH, 21.5, ("hall", "1"))], NOW)]]
    target = Receiver(receiver.url, 0.02, {}, {}, str(tmp_path), 1 << 20)
    pusher = Pusher(target, lambda: readings[0], random.Random(1))
    pusher.start()
    try:
        wait_until(lambda: told(pusher, "dropped_total", "unexpected") >= 2, what="messages lost")
        assert told(pusher, "last_push_successful") == 0
        readings.pop(0)
        wait_until(lambda: receiver.taken, what="the next one")
        assert told(pusher, "last_push_successful") == 1
    finally:
        pusher.stop()


def test_a_message_that_cannot_be_read_back_shows_and_holds_up_no_other(pusher, tmp_path, receiver):
    pusher.take()
    (waiting,) = tmp_path.iterdir()
    waiting.unlink()
    waiting.mkdir()  # the sturdiest way to be unreadable, for root too
    pusher.take()
    pusher.start()
    try:
        wait_until(lambda: receiver.taken, what="the other message")
        wait_until(lambda: told(pusher, "last_push_successful") == 1, what="all being well")
        assert told(pusher, "dropped_total", "storage") == 1
    finally:
        pusher.stop()


CONFIG = """\
interval: 200ms
discover: false
host: {{collectors: [load]}}
otlp:
  url: {url}
  interval: 1s
  directory: {directory}
  resource: {{service.name: tests}}
"""


def test_what_a_killed_agent_had_collected_is_sent_by_the_next_one(tmp_path):
    receiver = OtlpReceiver()
    receiver.stop()
    config = tmp_path / "agent.yml"
    config.write_text(CONFIG.format(url=receiver.url, directory=tmp_path / "buffer"))
    buffered = "watchkeeper_otlp_buffered_messages"
    killed = RunningAgent(config)
    wait_until(lambda: (killed.page().value(buffered) or 0) >= 2, what="the buffer filling")
    assert killed.page().value("watchkeeper_otlp_last_push_successful") == 0
    killed.process.kill()
    killed.stop()
    died_at = time.time()
    back = OtlpReceiver(receiver.port)
    running = RunningAgent(config)
    try:
        wait_until(lambda: [at for at in back.times() if at < died_at], what="the old messages")
        wait_until(lambda: [at for at in back.times() if at > died_at], what="new messages")
        assert len([at for at in back.times() if at < died_at]) >= 2
        attributes = back.taken[0].resource_metrics[0].resource.attributes
        assert ("service.name", "tests") in [(a.key, a.value.string_value) for a in attributes]
        names = {metric.name for metric in back.metrics()}
        assert {"node_load1", "watchkeeper_collector_success"} <= names
        config.write_text("discover: false\nhost: {collectors: [load]}\n")
        wait_until(lambda: running.page().value(buffered) is None, what="the pushing ending")
    finally:
        running.stop()
        back.stop()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("url: localhost:4318", "otlp.url: expected http://… or https://…"),
        ("url: http://a/\n  headers: {Authorization: secret}", "otlp.headers.Authorization: a sec"),
        ("url: http://a/\n  directory: /proc/version/x", "otlp.directory: expected a directory"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_key(tmp_path, text, problem):
    config = tmp_path / "agent.yml"
    config.write_text(f"otlp:\n  {text}\n")
    with pytest.raises(ConfigError) as told:
        read_configured(config)
    assert problem in str(told.value)
