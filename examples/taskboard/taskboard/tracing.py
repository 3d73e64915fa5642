"""A span for every request, so that slow ones can be told apart by their traces.

What a trace holds beyond its number needs a store, which the demo has none of: add a span processor
of your own to ``TracerProvider`` to send spans to one.
"""

from __future__ import annotations

from flask import Flask, g, request
from opentelemetry import context, propagate, trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider


def install(app: Flask, service: str) -> None:
    """Make each request of ``app`` a span of ``service``, in the trace its caller names, if any."""
    tracer = TracerProvider(resource=Resource.create({SERVICE_NAME: service})).get_tracer(service)

    @app.before_request
    def begin() -> None:
        name = f"{request.method} {request.url_rule.rule if request.url_rule else 'unmatched'}"
        g.span = tracer.start_span(
            name, context=propagate.extract(request.headers), kind=trace.SpanKind.SERVER
        )
        g.span_token = context.attach(trace.set_span_in_context(g.span))

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        # Missing where another hook before ours has answered the request.
        if "span" in g:
            context.detach(g.span_token)
            g.span.end()
