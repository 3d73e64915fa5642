"""Scores written to a Prometheus, with the times of the samples they judge."""

from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.evaluation import QueryEvaluation
from anomaly.remote_write.settings import RemoteWriteSettings
from anomaly.remote_write.wire import WrittenSeries, request_of, snappy_block
from anomaly.remote_write.writer import RemoteWriter
from anomaly.settings import PublishSettings
from tests.anomaly.series import STEP_SECONDS, block, noise, query
from tests.anomaly.servers import prometheus_holding, serving


def unpacked(content: bytes) -> bytes:
    """Return what a Snappy block of literals holds, read as its format description says."""
    at, length, shift = 0, 0, 0
    while True:
        length |= (content[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if content[at - 1] < 0x80:
            break
    found = b""
    while at < len(content):
        assert content[at] == 0xF4, "a literal with two bytes of length"
        size = int.from_bytes(content[at + 1 : at + 3], "little") + 1
        found += content[at + 3 : at + 3 + size]
        at += 3 + size
    assert len(found) == length
    return found


@given(st.integers(0, 300_000))
def test_a_block_holds_what_was_put_into_it(size):
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert unpacked(snappy_block(content)) == content


class Server:
    """Answers writes with a status and remembers how many there were."""

    def __init__(self, status: int) -> None:
        self.status, self.bodies = status, []

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.bodies.append(request.rfile.read(int(request.headers["Content-Length"])))
        request.send_response(self.status)
        request.send_header("Content-Length", "0")
        request.end_headers()


def judged(writer: RemoteWriter, samples: int = 60) -> QueryEvaluation:
    """Return an evaluation whose verdicts were all taken."""
    evaluation = QueryEvaluation("latency", query())
    evaluation.advance(
        block({"/search": noise(samples)}), told=lambda said: writer.take(said, evaluation)
    )
    return evaluation


def writer_to(url: str, **settings) -> tuple[RemoteWriter, dict[str, int]]:
    told: dict[str, int] = {}

    def sent(outcome: str, samples: int) -> None:
        told[outcome] = told.get(outcome, 0) + samples

    return RemoteWriter(RemoteWriteSettings(url=url, **settings), PublishSettings, sent), told


def test_what_a_server_cannot_take_now_is_written_later_in_order():
    server = Server(503)
    with serving(server.answer) as url:
        writer, told = writer_to(url)
        judged(writer)
        writer.write()
        assert (len(server.bodies), "ok" in told) == (1, False)
        server.status = 204
        writer.write()
        assert server.bodies[1] == server.bodies[0]
        assert told["ok"] == told["busy"] > 0


@pytest.mark.parametrize("status", [400, 308])
def test_what_a_server_refuses_is_not_offered_again(status):
    server = Server(status)
    with serving(server.answer) as url:
        writer, told = writer_to(url)
        judged(writer)
        writer.write()
        writer.write()
    assert len(server.bodies) == 1
    assert told.keys() == {"refused"}


def test_while_a_server_is_down_the_oldest_samples_go_first_and_are_counted():
    writer, told = writer_to("http://127.0.0.1:9/", keep=8)
    judged(writer)
    writer.write()
    assert told["connection"] == 8
    assert told["dropped"] > 0


def test_history_that_is_judged_again_is_not_written_again():
    writer, told = writer_to("http://127.0.0.1:9/")
    evaluation = QueryEvaluation("latency", query(), live_after_seconds=float("inf"))
    evaluation.advance(
        block({"/search": noise(60)}), told=lambda said: writer.take(said, evaluation)
    )
    writer.write()
    assert told == {}


@pytest.mark.live
def test_a_prometheus_holds_each_score_at_the_time_of_its_sample(tmp_path: Path):
    begin = datetime.now(UTC).timestamp() // 10 * 10 - 60 * STEP_SECONDS
    samples = block({"/search": noise(60)})
    shifted = type(samples)(
        samples.keys, [begin + at * STEP_SECONDS for at in range(60)], samples.values
    )
    said = []
    with prometheus_holding(tmp_path, {"latency": [(begin, 1.0)]}, receiving=True) as client:
        writer, told = writer_to(f"{client.base_url}/api/v1/write")
        evaluation = QueryEvaluation("latency", query())

        def keep(verdict) -> None:
            said.append((verdict.at_seconds, verdict.scores["robust-zscore"][0]))
            writer.take(verdict, evaluation)

        evaluation.advance(shifted, told=keep)
        writer.write()
        assert told.keys() == {"ok"}
        (found,) = client.query_range(
            'anomaly_score{job="anomaly-written",query="latency"}',
            start=datetime.fromtimestamp(begin, UTC),
            end=datetime.fromtimestamp(begin + 59 * STEP_SECONDS, UTC),
            step_seconds=STEP_SECONDS,
        )
    assert found.labels["series"] == '{http_route="/search", service="taskboard"}'
    expected = [(at, score) for at, score in said if np.isfinite(score)]
    assert list(zip(found.timestamps, found.values, strict=True)) == expected


def test_a_request_is_what_the_specification_says():
    series = WrittenSeries((("__name__", "up"), ("job", "a")), [(1.5, 2.0)])
    name = "0a0e0a085f5f6e616d655f5f12027570"
    job = "0a080a036a6f62120161"
    two_at_1500_milliseconds = "120c09000000000000004010dc0b"
    said = unpacked(request_of([series])).hex()
    assert said == f"0a28{name}{job}{two_at_1500_milliseconds}"
