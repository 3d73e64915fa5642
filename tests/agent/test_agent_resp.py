"""The Redis protocol: no peer can break us, fill our memory or hold us up."""

import contextlib
import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.collector import CollectionFailed
from agent.collectors.redis import RedisCollector
from agent.incoming import MAX_ANSWER_BYTES
from agent.resp import RedisConnection
from agent.resp_answers import MAX_ITEMS, MAX_LINE_BYTES, Answers, CommandRefused
from watchkeeper.errors import Reason, UpstreamError


@contextlib.contextmanager
def said(script, timeout_seconds=1.0):
    """Answers read from a peer that says the script and hangs up."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        speaker = threading.Thread(target=say, args=[theirs, script])
        speaker.start()
        yield Answers(ours, timeout_seconds)
        ours.close()
        speaker.join()


def say(connection, script):
    with contextlib.suppress(OSError):
        connection.sendall(script)
        connection.shutdown(socket.SHUT_WR)


def spoken(answer):
    """What a server sends for an answer."""
    if answer is None:
        return b"$-1\r\n"
    if isinstance(answer, int):
        return b":%d\r\n" % answer
    if isinstance(answer, bytes):
        return b"$%d\r\n%b\r\n" % (len(answer), answer)
    return b"*%d\r\n" % len(answer) + b"".join(map(spoken, answer))


plain = st.none() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=40)
answers = st.recursive(plain, lambda inner: st.lists(inner, max_size=4), max_leaves=12)
pieces = st.one_of(
    answers.map(spoken),
    st.sampled_from([b"+OK\r\n", b"-ERR no\r\n", b":abc\r\n", b"$x\r\n", b"$-2\r\n", b"*-7\r\n"]),
    st.sampled_from([b"$9\r\nshort\r\n", b"*1\r\n" * 9, b"*99999999\r\n", b":" + b"1" * 5000]),
    st.binary(max_size=12),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(answers, max_size=4))
def test_what_a_server_answers_is_what_is_read(told):
    with said(b"".join(map(spoken, told))) as reader:
        try:
            read = [reader.read() for _ in told]
        except ValueError:
            assert any(depth(answer) > 8 for answer in told)
        else:
            assert read == told


def depth(answer):
    return 1 + max(map(depth, answer), default=0) if isinstance(answer, list) else 0


@settings(max_examples=200, deadline=None)
@given(st.lists(pieces, max_size=5).map(b"".join))
def test_whatever_a_peer_says_is_an_answer_or_an_explained_failure(script):
    with said(script) as reader, contextlib.suppress(OSError, ValueError):
        for _ in range(6):
            assert isinstance(reader.read(), bytes | int | list | CommandRefused | None)


@pytest.mark.parametrize(
    "script",
    [
        b"*1\r\n" * 5000,
        b"*%d\r\n" % (MAX_ITEMS + 1),
        b"*2\r\n*%d\r\n" % (MAX_ITEMS - 1),
        b"$%d\r\n" % MAX_ANSWER_BYTES,
        b"+" + b"x" * (MAX_LINE_BYTES + 1),
        b"*2\r\n" + spoken(b"x" * (MAX_ANSWER_BYTES // 2)) * 2,
    ],
    ids=["nesting", "items", "items in all", "string", "line", "bytes in all"],
)
def test_no_answer_takes_more_of_us_than_one_may(script):
    with said(script) as reader, pytest.raises(ValueError, match=r"too much|more than"):
        reader.read()


@contextlib.contextmanager
def answering(*scripts):
    """A server that says one script after another, each when it is asked; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                for script in scripts:
                    connection.recv(4000)
                    connection.sendall(script)

        server = threading.Thread(target=serve)
        server.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.join()


@pytest.mark.parametrize("odd", [b":abc\r\n", b"$x\r\n", b"*1\r\n" * 9, b"hello\r\n"])
def test_after_an_answer_that_makes_no_sense_the_connection_is_given_up(odd):
    with answering(b"+OK\r\n", odd + b":1\r\n") as port:
        connection = RedisConnection("127.0.0.1", port, timeout_seconds=1.0)
        with pytest.raises(UpstreamError, match="cannot be understood") as caught:
            connection.call("PING")
        assert caught.value.reason is Reason.BAD_ANSWER
        with pytest.raises(UpstreamError) as caught:
            connection.call("PING")
        assert caught.value.reason is Reason.CONNECTION


def test_a_peer_that_goes_on_for_ever_has_the_time_of_one_answer():
    ours, theirs = socket.socketpair()
    ended = threading.Event()

    def drip():
        with contextlib.suppress(OSError):
            while not ended.wait(0.02):
                theirs.sendall(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        with pytest.raises(TimeoutError):
            Answers(ours, 0.2).read()
    finally:
        ended.set()
        dripping.join()
        ours.close()
        theirs.close()


odd_answers = st.lists(st.one_of(answers, st.just([[]]), st.just(b"cluster_enabled:1")), max_size=9)


@settings(max_examples=40, deadline=None)
@given(odd_answers.map(lambda told: b"".join(map(spoken, told))))
def test_whatever_listens_there_the_collector_says_up_or_down(script):
    with answering(b"+OK\r\n", script) as port:
        place = {"host": "127.0.0.1", "port": port, "user": None, "password": ""}
        collector = RedisCollector(**place, timeout_seconds=1.0)
        try:
            families = list(collector.collect())
        except CollectionFailed as failure:
            families = failure.families
        finally:
            collector.close()
    assert "redis_up" in [family.metric.name for family in families]
