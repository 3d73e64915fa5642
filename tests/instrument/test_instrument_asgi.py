"""FastAPI and Starlette under a real uvicorn: requests by route template, strangers under one."""

import asyncio
import threading
import urllib.error
import urllib.request

import fastapi
import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

from tests.waiting import wait_until
from watchkeeper.instrument.asgi import CLIENT_LEFT
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.http import HttpMetrics

COUNT = "http_server_request_duration_seconds_count"


def fastapi_shop():
    app, kitchen = fastapi.FastAPI(), fastapi.FastAPI()

    @app.get("/orders/{order}")
    async def order(order: int):
        return order

    @app.get("/broken")
    def broken():
        raise RuntimeError("a bug of the application")

    @kitchen.post("/dishes/{dish}")
    async def dish(dish: str):
        return dish

    app.mount("/kitchen", kitchen)
    return app


def starlette_shop():
    async def order(request):
        return PlainTextResponse("order")

    async def letters(request):
        async def stream():
            yield "a"
            yield "b"

        return StreamingResponse(stream())

    async def broken(request):
        raise RuntimeError("a bug of the application")

    return Starlette(
        routes=[
            Route("/orders/{order}", order),
            Route("/broken", broken),
            Route("/letters", letters),
            Mount("/kitchen", routes=[Route("/dishes/{dish}", order, methods=["POST"])]),
            Mount("/tenants/{tenant}", routes=[Route("/menu/{page}", order)]),
        ]
    )


class Served:
    """An application under uvicorn and what was counted of it."""

    def __init__(self, app):
        self.registry = CollectorRegistry()
        self.metrics = HttpMetrics("shop", self.registry, Guard(self.registry))
        config = uvicorn.Config(
            self.metrics.wrap_asgi(app), port=0, log_level="critical", lifespan="off"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        wait_until(lambda: self.server.started, what="uvicorn")
        (socket,) = self.server.servers[0].sockets
        self.url = f"http://127.0.0.1:{socket.getsockname()[1]}"

    def ask(self, path, method="GET"):
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self.url + path, method=method)
            ) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def counted(self):
        """Return how many requests there were by method, route and status, once all are over."""
        wait_until(lambda: not self.active(), what="the end of all requests")
        return {
            (
                sample.labels["http_request_method"],
                sample.labels["http_route"],
                sample.labels["http_response_status_code"],
            ): sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == COUNT
        }

    def active(self):
        return sum(
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == "http_server_active_requests"
        )

    def stop(self):
        self.server.should_exit = True
        self.thread.join(20)


@pytest.fixture(params=[fastapi_shop, starlette_shop], ids=["fastapi", "starlette"])
def shop(request):
    served = Served(request.param())
    yield served
    served.stop()


@pytest.fixture
def starlette():
    served = Served(starlette_shop())
    yield served
    served.stop()


@pytest.mark.live
def test_requests_are_counted_under_their_route_template(shop):
    for order in range(3):
        assert shop.ask(f"/orders/{order}") == 200
    assert shop.ask("/kitchen/dishes/soup", "POST") == 200
    assert shop.counted() == {
        ("GET", "/orders/{order}", "200"): 3,
        ("POST", "/kitchen/dishes/{dish}", "200"): 1,
    }


@pytest.mark.live
def test_paths_no_route_matches_and_invented_methods_share_a_series(shop):
    for number in range(5):
        assert shop.ask(f"/random/{number}") == 404
    assert shop.ask("/random", "BREW") == 404
    assert shop.counted() == {
        ("GET", "unmatched", "404"): 5,
        ("_OTHER", "unmatched", "404"): 1,
    }


@pytest.mark.live
def test_an_exception_in_a_handler_is_a_500_of_its_route(shop):
    assert shop.ask("/broken") == 500
    assert shop.counted() == {("GET", "/broken", "500"): 1}


@pytest.mark.live
def test_the_parameters_of_a_mount_are_no_label(starlette):
    for tenant in ("a", "b", "c"):
        assert starlette.ask(f"/tenants/{tenant}/menu/1") == 200
    assert starlette.counted() == {("GET", "{mount}/menu/{page}", "200"): 3}


@pytest.mark.live
def test_a_streamed_answer_is_one_request(starlette):
    assert starlette.ask("/letters") == 200
    assert starlette.counted() == {("GET", "/letters", "200"): 1}


def labels_of(registry):
    return [
        (sample.labels["http_route"], sample.labels["http_response_status_code"])
        for family in registry.collect()
        for sample in family.samples
        if sample.name == COUNT
    ]


def test_a_client_that_leaves_before_the_answer_is_told_apart(registry, guard):
    async def patient(scope, receive, send):
        await asyncio.Event().wait()

    async def leave():
        app = HttpMetrics("shop", registry, guard).wrap_asgi(patient)
        request = asyncio.create_task(app({"type": "http", "method": "GET"}, None, None))
        await asyncio.sleep(0)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)

    asyncio.run(leave())
    assert labels_of(registry) == [("unmatched", CLIENT_LEFT)]


def test_what_is_not_http_passes_through(registry, guard):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    wrapped = HttpMetrics("shop", registry, guard).wrap_asgi(app)
    asyncio.run(wrapped({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
    assert labels_of(registry) == []
