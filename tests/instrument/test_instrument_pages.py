import http.client
import json

import pytest
from werkzeug.test import Client

from watchkeeper.instrument import Instrumentation, PageServer


@pytest.fixture
def instrumentation():
    return Instrumentation("shop")


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the application"]


def test_mounted_pages_answer_and_the_rest_is_the_applications(instrumentation):
    client = Client(instrumentation.pages().mount(application))
    assert b"process_resident_memory_bytes" in client.get("/metrics").data
    assert client.get("/healthz").json["status"] == "alive"
    assert client.get("/readyz").json == {"status": "ready", "service": "shop", "reasons": {}}
    assert client.get("/anything").data == b"the application"


def test_a_service_that_is_not_ready_says_why(instrumentation):
    pages = instrumentation.pages(lambda: {"database": "no answer"})
    answer = Client(pages).get("/readyz")
    assert answer.status_code == 503
    assert answer.json["reasons"] == {"database": "no answer"}


def test_a_readiness_check_that_fails_means_not_ready(instrumentation):
    def broken():
        raise ZeroDivisionError

    answer = Client(instrumentation.pages(broken)).get("/readyz")
    assert answer.status_code == 503
    assert answer.json["reasons"] == {"check": "the check itself failed: ZeroDivisionError"}


def test_a_worker_serves_its_pages_from_a_port_of_its_own(instrumentation):
    server = PageServer(instrumentation.pages())
    try:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/readyz")
        assert json.loads(connection.getresponse().read())["status"] == "ready"
        connection.close()
        connection.request("GET", "/other")
        assert connection.getresponse().status == 404
        connection.close()
    finally:
        server.close()
    with pytest.raises(OSError, match="refused"):
        http.client.HTTPConnection("127.0.0.1", server.port).request("GET", "/metrics")
