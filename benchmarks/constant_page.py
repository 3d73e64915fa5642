"""A process that answers every scrape with the same page and does nothing else.

What it takes longer than nothing is the machine's doing: the yardstick for latencies.
"""

from __future__ import annotations

import gzip
import random
import sys
import threading

from agent.text import TextFormat
from agent.web.pages import Pages
from agent.web.server import Server
from watchkeeper.health import Readiness
from watchkeeper.listen import Listen

PAGE_BYTES = 20_000
"""As many as the agent sends, compressed, with everything on."""


def main(port: int) -> None:
    """Serve until ended."""
    page = gzip.compress(random.Random(1).randbytes(PAGE_BYTES).hex().encode(), 1)

    def render(text_format: TextFormat, *, is_compressed: bool) -> bytes:  # noqa: ARG001
        return page

    pages = Pages(Readiness(), render)
    server = Server(Listen("127.0.0.1", port), lambda stream: (stream, pages.answer))
    server.start()
    threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
