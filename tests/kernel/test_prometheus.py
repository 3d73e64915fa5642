"""Reading from Prometheus when it answers, refuses, hangs or drips."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.prometheus import PrometheusClient, encodings_asked_of

Answer = Callable[[BaseHTTPRequestHandler], None]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def serve():
    """Return a function that serves an answer on loopback and gives a client of it."""
    servers = []

    def start(answer: Answer) -> PrometheusClient:
        handler = type(
            "Handler",
            (BaseHTTPRequestHandler,),
            {"do_GET": answer, "log_message": lambda *_: None},
        )
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return PrometheusClient(f"http://127.0.0.1:{server.server_address[1]}", timeout_seconds=0.5)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def answering(body: object, status: int = 200) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return answer


def reason_of(client: PrometheusClient) -> Reason:
    with pytest.raises(UpstreamError) as caught:
        client.query("up")
    return caught.value.reason


def test_a_vector_is_read(serve):
    result = [{"metric": {"job": "a"}, "value": [1.5, "2"]}]
    body = {"status": "success", "data": {"resultType": "vector", "result": result}}
    (sample,) = serve(answering(body)).query("up")
    assert (sample.labels, sample.at.timestamp(), sample.value) == ({"job": "a"}, 1.5, 2.0)


def test_a_range_is_read(serve):
    result = [{"metric": {"job": "a"}, "values": [[1, "2"], [6, "NaN"]]}]
    body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    (series,) = serve(answering(body)).query_range("up", start=NOW, end=NOW, step_seconds=5)
    assert series.timestamps == [1.0, 6.0]
    assert series.values[0] == 2.0
    assert series.values[1] != series.values[1]


def test_a_refusal_tells_what_the_server_said(serve):
    client = serve(answering({"status": "error", "error": "parse error"}, 400))
    with pytest.raises(UpstreamError, match="parse error") as caught:
        client.query("up{")
    assert caught.value.reason is Reason.BAD_ANSWER


def test_what_is_not_json_is_a_bad_answer(serve):
    assert reason_of(serve(answering(b"<html>"))) is Reason.BAD_ANSWER


def test_an_error_page_is_told_by_its_status(serve):
    assert reason_of(serve(answering(b"<html>", 502))) is Reason.HTTP_STATUS


def test_nobody_listening_is_a_connection_problem():
    client = PrometheusClient("http://127.0.0.1:1", timeout_seconds=0.5)
    assert reason_of(client) is Reason.CONNECTION


def test_a_server_that_hangs_is_given_up_on(serve):
    never = threading.Event()
    assert reason_of(serve(lambda _request: never.wait(10) and None)) is Reason.TIMEOUT


def test_a_server_that_drips_is_given_up_on(serve):
    stop = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not stop.wait(0.1):
            request.wfile.write(b" ")
            request.wfile.flush()

    try:
        assert reason_of(serve(drip)) is Reason.TIMEOUT
    finally:
        stop.set()


def test_a_server_that_stops_in_the_middle_is_given_up_on(serve):
    never = threading.Event()

    def stop_short(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"{")
        request.wfile.flush()
        never.wait(10)

    assert reason_of(serve(stop_short)) is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("http://127.0.0.1:9090", "identity"),
        ("http://localhost:9090/prometheus", "identity"),
        ("http://[::1]:9090", "identity"),
        ("http://[::1", "gzip, deflate"),  # no address: asking it says so
        ("https://prometheus.example.org", "gzip, deflate"),
        ("http://10.0.0.7:9090", "gzip, deflate"),
    ],
)
def test_an_answer_is_compressed_only_where_it_crosses_a_network(address, asked):
    assert encodings_asked_of(address) == asked


def test_a_server_of_this_machine_is_asked_not_to_compress(serve):
    asked = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.headers["Accept-Encoding"])
        answering({"status": "success", "data": {"resultType": "vector", "result": []}})(request)

    assert serve(answer).query("up") == []
    assert asked == ["identity"]


WHEN = [1, {"count": "1", "sum": "1", "buckets": []}]


def vector(*items: object) -> dict[str, object]:
    return {"status": "success", "data": {"resultType": "vector", "result": list(items)}}


def matrix(*items: object) -> dict[str, object]:
    return {"status": "success", "data": {"resultType": "matrix", "result": list(items)}}


def instant(client: PrometheusClient) -> object:
    return client.query("up")


def over_time(client: PrometheusClient) -> object:
    return client.query_range("up", start=NOW, end=NOW, step_seconds=5)


def test_a_native_histogram_is_left_out_beside_numbers(serve):
    number = {"metric": {"job": "a"}, "value": [1, "2"]}
    (sample,) = serve(answering(vector(number, {"metric": {}, "histogram": WHEN}))).query("x")
    assert sample.labels == {"job": "a"}
    line = {"metric": {"job": "a"}, "values": [[1, "2"]], "histograms": [WHEN]}
    client = serve(answering(matrix(line, {"metric": {}, "histograms": [WHEN]})))
    (series,) = client.query_range("x", start=NOW, end=NOW, step_seconds=5)
    assert (series.labels, series.values) == ({"job": "a"}, [2.0])


@pytest.mark.parametrize(
    ("body", "ask"),
    [
        (vector({"metric": {}, "histogram": WHEN}), instant),
        (matrix({"metric": {}, "histograms": [WHEN]}), over_time),
    ],
)
def test_native_histograms_alone_are_named_as_such(serve, body, ask):
    client = serve(answering(body))
    with pytest.raises(UpstreamError, match="got native histograms; histogram_quantile") as caught:
        ask(client)
    assert caught.value.reason is Reason.BAD_ANSWER


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 20_000,
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1'
        + b"0" * 4000 + b',"1"]}]}}',
        {"status": "success"},
        {"status": "success", "data": None},
        {"status": "success", "data": []},
        {"status": "success", "data": {"resultType": "scalar"}},
        {"status": "success", "data": {"resultType": "vector", "result": None}},
        {"status": "success", "data": {"resultType": "vector", "result": {"a": 1}}},
        vector(1),
        vector({"metric": {}}),
        vector({"value": [1, "1"], "values": [[1, "1"]]}),
        vector({"metric": [], "value": [1, "1"], "values": [[1, "1"]]}),
        vector({"metric": {"a": 1}, "value": [1, "1"], "values": [[1, "1"]]}),
        vector({"metric": {}, "value": None, "values": None}),
        vector({"metric": {}, "value": [1], "values": [[1]]}),
        vector({"metric": {}, "value": [1, "x"], "values": [[1, "x"]]}),
        vector({"metric": {}, "value": [1e20, "1"], "values": [[1e20, "1"]]}),
        vector({"metric": {}, "value": ["NaN", "1"], "values": [["NaN", "1"]]}),
    ],
    ids=range(18),
)  # fmt: skip
def test_an_answer_of_another_shape_is_a_bad_answer(serve, body):
    client = serve(answering(body))
    for ask in (instant, over_time):
        with pytest.raises(UpstreamError) as caught:
            ask(client)
        assert caught.value.reason is Reason.BAD_ANSWER


def test_an_answer_of_another_shape_is_shown(serve):
    body = {"status": "success", "data": {"resultType": "vector", "result": "soon"}}
    with pytest.raises(UpstreamError, match=r"expected samples of 'up', got .*'soon'"):
        serve(answering(body)).query("up")


def test_a_redirect_that_speaks_json_is_no_answer(serve):
    assert reason_of(serve(answering(vector(), 307))) is Reason.HTTP_STATUS
