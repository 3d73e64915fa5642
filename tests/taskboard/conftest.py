"""The taskboard as its users run it: every process started by its command, on free ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from tests.ports import can_connect, free_port
from tests.waiting import wait_until

BETA_MEMORY_LIMIT_MEBIBYTES = 80


def call(method: str, url: str, body: Any = None) -> tuple[int, Any]:
    request = urllib.request.Request(url, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, _decoded(answer)
    except urllib.error.HTTPError as error:
        return error.code, _decoded(error)


def _decoded(answer: Any) -> Any:
    text = answer.read().decode()
    return json.loads(text) if answer.headers.get_content_type() == "application/json" else text


class Taskboard:
    """The running processes by name, and what tests ask of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ports = {
            name: free_port()
            for name in ("postgres", "valkey", "alpha", "beta", "worker", "load", "spare")
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "TASKBOARD_DATABASE_URL": (
                f"postgresql://taskboard@127.0.0.1:{self.ports['postgres']}/taskboard"
            ),
            "TASKBOARD_REDIS_URL": f"redis://127.0.0.1:{self.ports['valkey']}/0",
            "TASKBOARD_ALPHA_URL": self.url("alpha"),
            "TASKBOARD_BETA_URL": self.url("beta"),
            "TASKBOARD_FAULTS": "1",
        }
        self.broker = redis.Redis(port=self.ports["valkey"], decode_responses=True)

    def url(self, name: str, path: str = "") -> str:
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def start(self, name: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        with (self.directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "taskboard", *arguments],
                env={**self.environment, **environment},
                stdout=log,
                stderr=log,
            )
        self.processes[name] = process
        return process

    def start_worker(self) -> None:
        self.start("worker", "worker", "--metrics-port", str(self.ports["worker"]))
        self.wait_ready("worker")

    def start_everything(self) -> None:
        data = str(self.directory / "postgres")
        self.start(
            "postgres", "postgres", "--port", str(self.ports["postgres"]), "--data-dir", data
        )
        self.start("valkey", "valkey", "--port", str(self.ports["valkey"]))
        self.wait_for("postgres", self.database_answers)
        self.wait_for("valkey", lambda: can_connect(self.ports["valkey"]))
        self.start(
            "alpha", "web", "--agent", "alpha", "--listen", f"127.0.0.1:{self.ports['alpha']}"
        )
        self.start(
            "beta", "web", "--agent", "beta", "--listen", f"127.0.0.1:{self.ports['beta']}",
            TASKBOARD_MEMORY_LIMIT_MEBIBYTES=str(BETA_MEMORY_LIMIT_MEBIBYTES),
        )  # fmt: skip
        self.start_worker()
        for name in ("alpha", "beta"):
            self.wait_ready(name)

    def wait_ready(self, name: str) -> None:
        def is_ready() -> bool:
            return (
                can_connect(self.ports[name]) and call("GET", self.url(name, "/readyz"))[0] == 200
            )

        self.wait_for(name, is_ready)

    def wait_for(self, name: str, condition: Any) -> None:
        def alive_and_well() -> bool:
            code = self.processes[name].poll()
            assert code is None, f"{name} ended with {code}: {self.log(name)}"
            return condition()

        wait_until(
            alive_and_well, timeout_seconds=40, what=f"{name} ready; its log: see {name}.log"
        )

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text()

    def stop(self, name: str, number: int = signal.SIGTERM) -> int:
        process = self.processes.pop(name)
        process.send_signal(number)
        return process.wait(timeout=30)

    def stop_everything(self) -> None:
        for name in ("load", "worker", "beta", "alpha", "valkey", "postgres"):
            if name in self.processes:
                self.stop(name)

    def create(self, title: str, agent: str = "alpha") -> dict[str, Any]:
        status, task = call("POST", self.url(agent, "/tasks"), {"title": title})
        assert status == 201, task
        return task

    def find(self, task_id: str, agent: str = "alpha") -> dict[str, Any]:
        status, task = call("GET", self.url(agent, f"/tasks/{task_id}"))
        return task if status == 200 else {}

    def metrics(self, name: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        _, text = call("GET", self.url(name, "/metrics"))
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def sum_of(self, name: str, metric: str, **labels: str) -> float:
        return sum(
            value
            for (sample, found), value in self.metrics(name).items()
            if sample == metric and labels.items() <= dict(found).items()
        )

    def depth(self) -> int:
        waiting: int = self.broker.llen("work")
        return waiting

    def database_answers(self) -> bool:
        try:
            return self.query("SELECT 1") == [(1,)]
        except psycopg.OperationalError:  # the port opens before recovery from a crash is over
            return False

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.environment["TASKBOARD_DATABASE_URL"]) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="session")
def taskboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taskboard]:
    running = Taskboard(tmp_path_factory.mktemp("taskboard"))
    try:
        running.start_everything()
        yield running
    finally:
        running.stop_everything()
