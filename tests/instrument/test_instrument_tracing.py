"""An application that traces with OpenTelemetry finds the trace of what took so long."""

import asyncio
import json
import re
import sys
import time
import urllib.parse
import urllib.request

import flask
import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from werkzeug.test import Client

from tests.agent.running_prometheus import RunningPrometheus
from tests.waiting import wait_until
from watchkeeper.check import config_file
from watchkeeper.instrument import Instrumentation, PageServer
from watchkeeper.instrument.tracing import TRACE_API

TRACER = TracerProvider().get_tracer("shop")
UNSAMPLED = TracerProvider(sampler=ALWAYS_OFF).get_tracer("shop")


def exemplars(instrumentation):
    """The exemplars there are, by metric name."""
    return {
        sample.name: sample.exemplar.labels
        for family in instrumentation.registry.collect()
        for sample in family.samples
        if sample.exemplar is not None
    }


def of(span):
    """What an exemplar of this span says, as W3C writes the numbers."""
    found = span.get_span_context()
    return {
        "trace_id": trace.format_trace_id(found.trace_id),
        "span_id": trace.format_span_id(found.span_id),
    }


@pytest.fixture
def shop():
    return Instrumentation("shop")


def served(app, shop):
    return Client(shop.http.wrap(app)).get("/orders", buffered=True)


def answering(_, start_response):
    start_response("200 OK", [])
    return [b"order"]


def test_a_request_served_inside_a_span_names_its_trace(shop):
    with TRACER.start_as_current_span("request") as span:
        served(answering, shop)
    assert exemplars(shop) == {"http_server_request_duration_seconds_bucket": of(span)}


def test_so_does_one_whose_span_flask_begins_and_ends_itself(shop):
    app, spans = flask.Flask("shop"), []

    @app.before_request
    def begin():
        spans.append(TRACER.start_span("request"))
        flask.g.token = context.attach(trace.set_span_in_context(spans[0]))

    @app.teardown_request
    def end(_):
        spans[0].end()
        context.detach(flask.g.token)

    app.get("/orders")(lambda: "orders")
    assert served(app, shop).text == "orders"
    assert exemplars(shop) == {"http_server_request_duration_seconds_bucket": of(spans[0])}


def test_so_does_one_that_fails_before_it_answers(shop):
    def failing(*_):
        raise RuntimeError("a bug of the application")

    with TRACER.start_as_current_span("request") as span, pytest.raises(RuntimeError):
        served(failing, shop)
    assert exemplars(shop) == {"http_server_request_duration_seconds_bucket": of(span)}


def test_so_does_an_asgi_request_whose_span_begins_inside(shop):
    spans = []

    async def orders(_):
        with TRACER.start_as_current_span("request") as span:
            spans.append(span)
            return PlainTextResponse("orders")

    class Traced:
        """As OpenTelemetry's middleware stands: around the application, inside of what measures."""

        async def __call__(self, scope, receive, send):
            with TRACER.start_as_current_span("server") as span:
                spans.append(span)
                await Starlette(routes=[Route("/orders", orders)])(scope, receive, send)

    async def exchange():
        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(_):
            pass

        scope = {"type": "http", "method": "GET", "path": "/orders", "headers": []}
        await shop.http.wrap_asgi(Traced())(scope, receive, send)

    asyncio.run(exchange())
    assert exemplars(shop) == {"http_server_request_duration_seconds_bucket": of(spans[0])}


def call(shop):
    with shop.http_client.calling("bakery", "GET"):
        pass


def look_up(shop):
    with shop.caches.of("menu", level="redis").timing("get"):
        pass


def find(shop):
    with shop.database.operation("find order"):
        pass


def hand_over(shop):
    shop.handoffs.accepted("till", "kitchen", time.time())


def work(shop):
    shop.tasks.began("run", "orders", "bake", time.time() - 1)
    shop.tasks.ended("run", "succeeded")


MEASURED = {
    call: {"http_client_request_duration_seconds_bucket"},
    look_up: {"cache_operation_seconds_bucket"},
    find: {"db_client_operation_duration_seconds_bucket"},
    hand_over: {"task_handoff_seconds_bucket"},
    work: {"task_wait_seconds_bucket", "task_run_seconds_bucket"},
}


@pytest.mark.parametrize("measure", MEASURED)
def test_whatever_is_timed_inside_a_span_names_its_trace(measure, shop):
    with TRACER.start_as_current_span("request") as span:
        measure(shop)
    assert exemplars(shop) == dict.fromkeys(MEASURED[measure], of(span))


def test_a_task_whose_span_has_ended_before_it_is_told_keeps_its_trace(shop):
    with TRACER.start_as_current_span("task") as span:
        shop.tasks.began("run", "orders", "bake", None)
    shop.tasks.ended("run", "succeeded")
    assert exemplars(shop) == {"task_run_seconds_bucket": of(span)}


@pytest.mark.parametrize("measure", MEASURED)
def test_a_span_that_is_not_sampled_is_not_named(measure, shop):
    with UNSAMPLED.start_as_current_span("request"):
        measure(shop)
    assert exemplars(shop) == {}


def test_without_opentelemetry_everything_is_measured_as_ever(shop, monkeypatch):
    monkeypatch.delitem(sys.modules, TRACE_API)
    find(shop)
    count = "db_client_operation_duration_seconds_count"
    labels = {"service": "shop", "db_system_name": "postgresql", "db_operation_name": "find order"}
    assert shop.registry.get_sample_value(count, labels) == 1
    assert exemplars(shop) == {}
    assert TRACE_API not in sys.modules


def test_only_who_asks_for_openmetrics_is_told(shop):
    with TRACER.start_as_current_span("request") as span:
        find(shop)
    client = Client(shop.pages())
    told = re.compile(rf'# {{.*trace_id="{of(span)["trace_id"]}"')
    assert told.search(client.get("/metrics", headers={"Accept": OPENMETRICS}).text)
    assert not told.search(client.get("/metrics").text)


@pytest.mark.live
def test_prometheus_as_the_stack_runs_it_keeps_the_trace_of_a_slow_request(shop, tmp_path):
    with TRACER.start_as_current_span("request") as span:
        served(answering, shop)
    flags = re.findall(r"--enable-feature=\S+", config_file("stack.yml", None).read_text())
    server = PageServer(shop.pages())
    prometheus = RunningPrometheus(tmp_path, f"127.0.0.1:{server.port}", flags=flags)
    question = urllib.parse.urlencode(
        {
            "query": "http_server_request_duration_seconds_bucket",
            "start": time.time() - 3600,
            "end": time.time() + 3600,
        }
    )

    def kept():
        address = f"{prometheus.url}/api/v1/query_exemplars?{question}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            found = json.load(answer)["data"]
        return [one["labels"] for series in found for one in series["exemplars"]]

    try:
        wait_until(lambda: kept() == [of(span)], timeout_seconds=90, what="the exemplar")
    finally:
        prometheus.stop()
        server.close()
