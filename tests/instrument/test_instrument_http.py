import flask
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from werkzeug.test import Client

from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.http import HttpMetrics
from watchkeeper.instrument.http_labels import OTHER_METHOD

COUNT = "http_server_request_duration_seconds_count"


def shop():
    app = flask.Flask("shop")

    @app.get("/items/<int:item>")
    def item(item):
        return f"item {item}"

    @app.get("/broken")
    def broken():
        raise RuntimeError("a bug of the application")

    @app.get("/stream")
    def stream():
        return flask.Response(iter(["a", "b"]))

    return app


@pytest.fixture
def metrics(registry, guard):
    return HttpMetrics("shop", registry, guard)


@pytest.fixture
def client(metrics):
    return Client(metrics.wrap(shop()))


def counted(registry, method, route, status):
    labels = {
        "service": "shop",
        "http_request_method": method,
        "http_route": route,
        "http_response_status_code": status,
    }
    return registry.get_sample_value(COUNT, labels)


def active(registry, method="GET"):
    labels = {"service": "shop", "http_request_method": method}
    return registry.get_sample_value("http_server_active_requests", labels)


def series(registry):
    return {
        tuple(sorted(sample.labels.items()))
        for family in registry.collect()
        for sample in family.samples
        if sample.name == COUNT
    }


def test_requests_are_counted_under_their_route_template(client, registry):
    for item in range(5):
        assert client.get(f"/items/{item}", buffered=True).data == f"item {item}".encode()
    assert counted(registry, "GET", "/items/<int:item>", "200") == 5


def test_an_exception_in_a_handler_is_a_500_of_its_route(client, registry):
    assert client.get("/broken", buffered=True).status_code == 500
    assert counted(registry, "GET", "/broken", "500") == 1


def test_a_request_is_active_until_its_body_is_closed(metrics, registry):
    answer = Client(metrics.wrap(shop())).get("/stream", buffered=False)
    assert active(registry) == 1
    answer.close()
    assert active(registry) == 0
    assert counted(registry, "GET", "/stream", "200") == 1


def test_a_body_closed_twice_is_one_request(metrics, registry):
    answer = Client(metrics.wrap(shop())).get("/stream", buffered=False)
    answer.close()
    answer.close()
    assert active(registry) == 0
    assert counted(registry, "GET", "/stream", "200") == 1


def test_an_application_that_raises_keeps_raising_and_is_counted_as_500(metrics, registry):
    def raises(environ, start_response):
        raise KeyError("of the application")

    with pytest.raises(KeyError, match="of the application"):
        Client(metrics.wrap(raises)).get("/")
    assert counted(registry, "GET", "unmatched", "500") == 1
    assert active(registry) == 0


@settings(max_examples=25)
@given(paths=st.lists(st.text(min_size=1), min_size=1, max_size=30))
def test_paths_no_route_matches_share_one_series(paths):
    registry = CollectorRegistry()
    client = Client(HttpMetrics("shop", registry, Guard(registry)).wrap(shop()))
    for path in paths:
        client.get(f"/nowhere/{path}", buffered=True)
    assert len(series(registry)) == 1
    assert counted(registry, "GET", "unmatched", "404") == len(paths)


@settings(max_examples=25)
@given(methods=st.lists(st.from_regex(r"[A-Z]{1,12}", fullmatch=True), min_size=1, max_size=30))
def test_invented_methods_share_one_label(methods):
    registry = CollectorRegistry()
    client = Client(HttpMetrics("shop", registry, Guard(registry)).wrap(shop()))
    for method in methods:
        client.open("/items/1", method=f"X{method}", buffered=True)
    assert counted(registry, OTHER_METHOD, "unmatched", "405") == len(methods)
    assert len(series(registry)) == 1


def test_a_fault_in_the_instrument_never_reaches_the_application(metrics, registry):
    def broken_route_of(environ):
        raise ZeroDivisionError("a bug of the instrument")

    client = Client(metrics.wrap(shop(), route_of=broken_route_of))
    assert client.get("/items/1", buffered=True).data == b"item 1"
    errors = registry.get_sample_value("watchkeeper_instrument_errors_total", {"part": "http"})
    assert errors == 1
    assert counted(registry, "GET", "unmatched", "200") == 1
