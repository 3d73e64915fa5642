"""Every request of the demo's service has a trace, its caller's where there is one."""

import pytest
from flask import Flask
from opentelemetry import trace

from taskboard import tracing

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def client():
    app = Flask("traced")
    tracing.install(app, "taskboard")

    @app.get("/trace")
    def told():
        return trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)

    @app.get("/broken")
    def broken():
        raise RuntimeError("broken")

    return app.test_client()


def test_requests_have_traces_of_their_own(client):
    traces = {client.get("/trace").text for _ in range(3)}
    assert len(traces) == 3
    assert trace.format_trace_id(0) not in traces


def test_a_request_belongs_to_the_trace_that_its_caller_names(client):
    answer = client.get("/trace", headers={"traceparent": CALLER})
    assert answer.text == CALLER.split("-")[1]


def test_nothing_is_left_current_after_a_request_however_it_ends(client):
    for path in ("/trace", "/broken", "/nowhere"):
        client.get(path)
        assert not trace.get_current_span().get_span_context().is_valid
