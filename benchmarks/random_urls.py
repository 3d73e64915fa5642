"""An instrumented web application whose visitors ask for pages at random, none of which is there.

Run as a program it serves its metrics and visits itself; its last argument is visits a second.
"""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Iterable
from typing import Any

from flask import Flask

from benchmarks.pace import keep_pace
from watchkeeper.instrument import Instrumentation, PageServer


def visit(application: Any) -> None:
    """Ask for one page that is not there."""
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/{uuid.uuid4()}",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
    }
    body: Iterable[bytes] = application(environ, lambda *_: None)
    try:
        for _ in body:
            pass
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()


def main(port: int, visits_per_second: float) -> None:
    """Serve and visit until ended."""
    instrumentation = Instrumentation("soaked")
    application = instrumentation.http.wrap(Flask("soaked"))
    PageServer(instrumentation.pages(), port=port)
    keep_pace(lambda: visit(application), visits_per_second, threading.Event())


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
