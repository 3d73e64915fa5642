"""What of ``agent.yml`` is about RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from agent.probe.target import parse_target
from agent.rabbitmq.queues import parse_name
from agent.recipe import Recipe
from agent.settings.pace import Pace, plain
from watchkeeper.configuration import Secret, Settings


def _http_url(url: str) -> str:
    if parse_target(url).scheme not in ("http", "https"):
        raise ValueError("expected http://… or https://…")
    return url


def _queue(written: str) -> str:
    parse_name(written)
    return written


class RabbitmqSettings(Settings):
    """One RabbitMQ, through its management plugin.

    Attributes:
        url: of the management API. No password belongs in it: its host becomes a label.
        user: one with the tag ``monitoring``.
        certificates: file with the authorities to trust instead of the system's.
        queues: how many to tell of, the fullest ones.
        task_queues: those that hold tasks of Celery or dramatiq, told of as such, too: ``name``
            in the default virtual host, or ``vhost/name``.
    """

    url: Annotated[str, AfterValidator(_http_url)] = "http://127.0.0.1:15672"
    user: str = "guest"
    password: Secret | None = None
    certificates: str = ""
    queues: Annotated[int, Field(ge=1, le=500)] = 200
    task_queues: tuple[Annotated[str, AfterValidator(_queue)], ...] = ()

    def recipes(self, pace: Pace) -> Iterator[Recipe]:
        """Yield what to run."""
        yield pace.recipe(f"rabbitmq {self.url}", "rabbitmq", plain(self))
