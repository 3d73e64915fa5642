"""The agent as a process: configuration in, collectors at work, a server in front of them.

Started by ``watchkeeper agent`` in place of itself, so that nothing the command line needed stays
in memory.
"""

from __future__ import annotations

import gc
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from agent.configured import Configured, RememberingReader
from agent.exposition import Exposition
from agent.family import Family, single
from agent.followed import Followed
from agent.pushing import Pushing
from agent.reading import Reading
from agent.schedule import Schedule
from agent.text import TextFormat
from agent.web.front import Front
from agent.web.pages import Pages
from agent.web.server import Server
from watchkeeper import addresses, logs
from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.clock import Clock, SystemClock
from watchkeeper.errors import ConfigError
from watchkeeper.health import Readiness
from watchkeeper.listen import Listen, cannot_listen, parse_listen

log = logs.get_logger(__name__)

SWITCH_SECONDS = 0.0001
"""How long a collector may hold the interpreter while a scrape waits, some four times;
Python's own 5 ms would be longer than the whole scrape may take."""

WATCH_SECONDS = 1.0
"""How often collectors that hang are looked after."""

FOLLOW_SECONDS = 3.0
"""How often configuration files are looked at; each time wakes the process."""

YOUNG_OBJECTS = 10_000
"""As many are made, and most let go, in a round of the collectors. Python's own threshold of 700
would have it search for garbage in the middle of it, a dozen times and mostly in vain."""


class Agent:
    """Collectors, their schedule, and the server that shows them.

    Args:
        config: the configuration file.
        listen: where to serve; port 0 takes a free one.
        clock: paces the collectors.
        read: turns the file into what to run.
        web_config: the web configuration file, in place of the one that ``config`` names.

    Raises:
        ConfigError: the file cannot be used, or the address asks for a token and there is none,
            or cannot be bound.
    """

    def __init__(
        self,
        config: Path,
        listen: Listen,
        clock: Clock,
        read: Callable[[Path], Configured] | None = None,
        web_config: Path | None = None,
    ) -> None:
        self._clock = clock
        self.schedule = Schedule(clock, random.Random())  # noqa: S311  # spreads load, hides nothing
        self._followed = Followed(config, read or RememberingReader(), clock)
        self._stopping = threading.Event()
        self._changing = threading.Lock()  # of what runs, and whether anything does
        self._is_settled = False
        self._exposition = Exposition(clock)
        self._pushing = Pushing(self._readings)
        self.readiness = Readiness()
        self.readiness.add("collectors", self._collectors_problem)
        self.readiness.add("otlp", self._pushing.problem)
        pages = Pages(self.readiness, self.page, self._followed.in_force)
        web_config = web_config or self._followed.current.web_config
        self._front = Front(pages.answer, web_config, addresses.api_token(), listen, clock)
        try:
            self.server = Server(listen, self._front.welcome)
        except OSError as error:
            raise cannot_listen(listen, error) from None

    def start(self) -> None:
        """Start collecting and serving; returns at once."""
        self._take_up(self._followed.current)
        self.server.start()
        threading.Thread(target=self._follow, name="configuration", daemon=True).start()

    def stop(self) -> None:
        """Stop serving and collecting; a collector that hangs is not waited for."""
        self.server.stop()
        with self._changing:
            self._stopping.set()
            self._pushing.push_to(None)
            self.schedule.stop()

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"{self._front.scheme}://{self.server.address}"

    def _follow(self) -> None:
        """Take up what changes in the configuration files.

        In a thread of its own: a file on a mount that hangs, or half a minute of reading, must
        not keep collectors that hang from being looked after.
        """
        while not self._stopping.wait(FOLLOW_SECONDS):
            try:
                self._front.look_around()
                if self._followed.read_if_changed():
                    self._take_up(self._followed.current)
                self._look_after_pushing()
            except (
                Exception
            ):  # the supervised boundary: what is in force stays, the next look may do
                log.exception("the configuration cannot be followed")

    def _take_up(self, configured: Configured) -> None:
        with self._changing:
            if not self._stopping.is_set():
                self.schedule.demand.is_pushed = configured.receiver is not None
                self.schedule.run(configured.recipes)  # first: it waits for no disk
                self._pushing.push_to(configured.receiver)

    def _look_after_pushing(self) -> None:
        with self._changing:
            if not self._stopping.is_set():
                self._pushing.look_after()

    def look_after(self) -> None:
        """Relieve and report what hangs; call it every second or so."""
        self.schedule.look_after()
        if not self._is_settled and self._collectors_problem() is None:
            self._settle()

    def _settle(self) -> None:
        """Take what is in memory by now for lasting: nothing of it is searched for garbage again.

        Such a search stops every thread, and would take longer than a scrape may.
        """
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS)
        self._is_settled = True

    def _readings(self) -> list[Reading]:
        return self._exposition.readings(self.schedule, self._about())

    def page(self, text_format: TextFormat, *, is_compressed: bool) -> bytes:
        """Return one scrape."""
        return self._exposition.render(
            self.schedule, text_format, self._about(), is_compressed=is_compressed
        )

    def _about(self) -> Iterator[Family]:
        file = (self._followed.name,)
        yield single(own.READY, int(not self.readiness.problems()), ("agent",))
        yield single(own.CONFIG_RELOAD_OK, int(self._followed.is_good), file)
        yield single(own.CONFIG_RELOAD_TIME, self._followed.read_at.timestamp(), file)
        yield from self._front.families()
        yield from self._pushing.families()

    def _collectors_problem(self) -> str | None:
        now = self._clock.monotonic_seconds()
        statuses = [runner.status(now) for runner in self.schedule.runners.values()]
        if any(status.success is None for status in statuses):
            return "the first collection is not complete"
        if statuses and not any(status.success for status in statuses):
            return "no collector succeeds"
        return None


def run(agent: Agent) -> None:
    """Run until SIGTERM or SIGINT."""
    logs.configure("agent")
    sys.setswitchinterval(SWITCH_SECONDS)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    agent.start()
    log.info("listening", extra={"address": agent.url})
    while not stopping.wait(WATCH_SECONDS):
        agent.look_after()
    agent.stop()
    log.info("stopped")


def main(config: str, listen_text: str, web_config: str = "") -> None:
    """Serve, or say what is wrong with the configuration and exit with code 2."""
    try:
        web = Path(web_config) if web_config else None
        run(Agent(Path(config), parse_listen(listen_text), SystemClock(), web_config=web))
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)  # noqa: T201  # told to the person who started us
        sys.exit(2)


if __name__ == "__main__":
    main(*sys.argv[1:])
