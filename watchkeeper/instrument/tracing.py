"""What links a measurement with the trace of the work that was measured: an exemplar.

Whether an application traces is its own affair. Where it does so with OpenTelemetry, the modules
are loaded already; nothing here ever imports them.
"""

from __future__ import annotations

import sys

Exemplar = dict[str, str]

TRACE_API = "opentelemetry.trace"


def current_exemplar() -> Exemplar | None:
    """Return ``trace_id`` and ``span_id`` of the current span, in hexadecimal as W3C writes them.

    Returns:
        None without a current span, and for one that is not sampled: no store would know its trace.
    """
    current_span = getattr(sys.modules.get(TRACE_API), "get_current_span", None)
    if current_span is None:
        return None
    span = current_span().get_span_context()
    if not (span.is_valid and span.trace_flags.sampled):
        return None
    return {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}
