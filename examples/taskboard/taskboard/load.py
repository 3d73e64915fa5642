"""Steady generated load on both agents: what a small team would do, day and night."""

from __future__ import annotations

import http.client
import json
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from taskboard.agents import Agent
from taskboard.settings import SERVICE, Settings
from taskboard.shutdown import exit_on_signal
from taskboard.vocabulary import VERBS, WORDS
from watchkeeper.instrument import Instrumentation, PageServer

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_SECONDS = 5.0
MOST_KNOWN_TASKS = 200
READY_WITHIN_SECONDS = 30.0

ROUND = (
    "create", "read", "search", "hand over", "read",
    "create", "search", "complete", "board", "complete",
)  # fmt: skip
"""One round of requests; as many tasks are finished as begun, so that the board stays small."""


WEIGHTS = {Agent.ALPHA: 4, Agent.BETA: 1}
"""How the requests are spread: alpha is the busy office, beta its partner."""


@dataclass(slots=True)
class KnownTask:
    """A task the load made.

    Attributes:
        id: the task's.
        owner: the agent that may complete it.
        handed_over: whether it has changed hands.
    """

    id: str
    owner: Agent
    handed_over: bool = False


class AgentClient:
    """Calls one agent over a connection that is kept open."""

    def __init__(self, agent: Agent, url: str, instrumentation: Instrumentation) -> None:
        self.agent = agent
        split = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            split.hostname or "127.0.0.1", split.port or 80, timeout=REQUEST_TIMEOUT_SECONDS
        )
        self._instrument = instrumentation.http_client

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return status and JSON answer; raise OSError when there is none."""
        try:
            with self._instrument.calling(f"taskboard-{self.agent}", method) as call:
                headers = {} if body is None else {"Content-Type": "application/json"}
                data = None if body is None else json.dumps(body)
                self._connection.request(method, path, data, headers)
                response = self._connection.getresponse()
                text = response.read()
                call.status = response.status
        except http.client.HTTPException as error:
            self._connection.close()
            raise ConnectionError(f"no usable answer: {type(error).__name__}") from error
        except OSError:
            self._connection.close()
            raise
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(text) if is_json else None


class Load:
    """Makes requests one after the other; remembers a bounded number of its own tasks."""

    def __init__(self, clients: dict[Agent, AgentClient], dice: random.Random) -> None:
        self._clients = clients
        self._dice = dice
        self._tasks: deque[KnownTask] = deque(maxlen=MOST_KNOWN_TASKS)
        self._actions = {
            "create": self._create,
            "read": self._read,
            "search": self._search,
            "board": self._board,
            "hand over": self._hand_over,
            "complete": self._complete,
        }

    def make(self, action: str) -> None:
        """Make one request; raise OSError when there was no answer."""
        self._actions[action]()

    def _create(self) -> None:
        client = self._any_client()
        title = f"{self._dice.choice(VERBS)} the {self._dice.choice(WORDS)}"
        status, task = client.call("POST", "/tasks", {"title": title})
        if status == 201:
            self._tasks.append(KnownTask(task["id"], client.agent))

    def _read(self) -> None:
        # Both agents know every task, but a new one may not have reached the other yet.
        if len(self._tasks) > len(ROUND):
            task = self._tasks[self._dice.randrange(len(self._tasks) // 2)]
            self._any_client().call("GET", f"/tasks/{task.id}")

    def _search(self) -> None:
        self._any_client().call("GET", f"/search?q={quote(self._dice.choice(WORDS))}")

    def _board(self) -> None:
        self._any_client().call("GET", "/board")

    def _hand_over(self) -> None:
        task = next((task for task in self._tasks if not task.handed_over), None)
        if task is None:
            return
        status, _ = self._clients[task.owner].call("POST", f"/tasks/{task.id}/handover")
        if status == 200:
            task.owner, task.handed_over = task.owner.partner, True

    def _complete(self) -> None:
        # The oldest has had the time to be prepared, and to reach the agent it was handed to.
        if len(self._tasks) > len(ROUND):
            task = self._tasks.popleft()
            self._clients[task.owner].call("POST", f"/tasks/{task.id}/complete")

    def _any_client(self) -> AgentClient:
        agent = self._dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        return self._clients[agent]


class Progress:
    """When an answer last came, for readiness and the log."""

    def __init__(self) -> None:
        self._answered_at = time.monotonic() - READY_WITHIN_SECONDS
        self._trouble: str | None = None

    def answered(self) -> None:
        """Note an answer."""
        self._answered_at = time.monotonic()
        if self._trouble is not None:
            log.info("answered again")
            self._trouble = None

    def failed(self, error: OSError) -> None:
        """Note that there was none; only the first of a row is told."""
        if self._trouble is None:
            log.warning("no answer: %s", error)
        self._trouble = str(error)

    def problems(self) -> dict[str, str]:
        """Return why no load is being made, or nothing."""
        if time.monotonic() - self._answered_at <= READY_WITHIN_SECONDS:
            return {}
        return {"agents": self._trouble or "no request answered yet"}


def generate(host: str, port: int, rate: float, settings: Settings) -> None:
    """Make ``rate`` requests a second in all until SIGTERM or SIGINT."""
    exit_on_signal()
    instrumentation = Instrumentation(SERVICE)
    clients = {
        agent: AgentClient(agent, settings.agent_urls[agent], instrumentation) for agent in Agent
    }
    load = Load(clients, random.Random())
    progress = Progress()
    with ExitStack() as closing:
        server = PageServer(instrumentation.pages(progress.problems), host=host, port=port)
        closing.callback(server.close)
        for action in _paced(rate):
            try:
                load.make(action)
            except OSError as error:
                progress.failed(error)
            else:
                progress.answered()


def _paced(rate: float) -> Iterator[str]:
    """Yield the actions round by round, each at its time; time lost is not made up for."""
    pause_seconds = 1 / rate
    waiting = threading.Event()
    due = time.monotonic()
    while True:
        for action in ROUND:
            now = time.monotonic()
            due = max(due, now - pause_seconds)
            waiting.wait(max(0.0, due - now))
            due += pause_seconds
            yield action
