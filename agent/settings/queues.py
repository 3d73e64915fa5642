"""What of ``agent.yml`` is about task queues on a Redis-compatible broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from agent.recipe import Recipe
from agent.settings.databases import RedisServerSettings
from agent.settings.pace import Pace, plain
from watchkeeper.configuration import Settings


class BrokerSettings(RedisServerSettings):
    """A Redis-compatible server that holds queues.

    Attributes:
        db: the database the queues are in.
    """

    db: Annotated[int, Field(ge=0)] = 0


class CeleryBrokerSettings(BrokerSettings):
    """One that Celery uses.

    Attributes:
        key_prefix: ``global_keyprefix`` of Celery's transport options.
    """

    key_prefix: str = ""


class CelerySettings(Settings):
    """The queues of one Celery application.

    Attributes:
        events: overhear the events of workers that send them (``-E``).
    """

    broker: CeleryBrokerSettings
    queues: Annotated[tuple[str, ...], Field(min_length=1)] = ("celery",)
    events: bool = True

    def recipes(self, pace: Pace) -> Iterator[Recipe]:
        """Yield what to run."""
        yield _recipe("celery", self.broker, self, self.broker.key_prefix, pace)


class RqSettings(Settings):
    """The queues of RQ on one server.

    Attributes:
        queues: their names; none for all that RQ knows.
    """

    broker: BrokerSettings
    queues: tuple[str, ...] = ()

    def recipes(self, pace: Pace) -> Iterator[Recipe]:
        """Yield what to run."""
        yield _recipe("rq", self.broker, self, "", pace)


class DramatiqSettings(Settings):
    """The queues of dramatiq on one server.

    Attributes:
        namespace: that of the RedisBroker.
    """

    broker: BrokerSettings
    namespace: str = "dramatiq"
    queues: Annotated[tuple[str, ...], Field(min_length=1)] = ("default",)

    def recipes(self, pace: Pace) -> Iterator[Recipe]:
        """Yield what to run."""
        part = "" if self.namespace == "dramatiq" else self.namespace
        yield _recipe("dramatiq", self.broker, self, part, pace)


def _recipe(
    kind: str, broker: BrokerSettings, application: Settings, part: str, pace: Pace
) -> Recipe:
    """Return the recipe of an application's queues.

    Args:
        kind: of the collector.
        broker: where the queues are.
        application: whose they are.
        part: what keeps it apart from others in the same database; empty for nothing.
        pace: of the collector.
    """
    name = f"{kind} {broker.host}:{broker.port}/{broker.db}{part and f' {part}'}"
    return pace.recipe(name, kind, plain(broker) | application.model_dump(exclude={"broker"}))
