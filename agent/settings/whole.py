"""All of ``agent.yml``, and the recipes it amounts to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from agent.candidates import Candidate
from agent.recipe import Recipe
from agent.settings.databases import BOUNDS, MysqlSettings, PostgresSettings, RedisSettings
from agent.settings.host import HostSettings
from agent.settings.otlp import OtlpSettings
from agent.settings.pace import HOST_LANE, Pace, Section
from agent.settings.probes import ProbeSettings
from agent.settings.processes import ProcessGroupSettings, recipes_of
from agent.settings.queues import CelerySettings, DramatiqSettings, RqSettings
from agent.settings.rabbitmq import RabbitmqSettings
from agent.settings.textfile import TextfileSettings
from agent.settings.values import Interval
from watchkeeper.configuration import Settings


class AgentSettings(Settings):
    """All that ``agent.yml`` may say.

    Attributes:
        interval: between two runs of a collector.
        slow_interval: of the collectors whose queries cost more, such as statements.
        deadline: a run that takes longer has failed.
        max_series: of one collector; what is beyond is cut and counted.
        discover: also watch servers of this machine of the kinds that are not configured, where
            they let us in without a password or with one from the environment.
        web_config: Prometheus' web configuration file, for TLS and passwords; relative to this
            file. Which one it is, is taken up at the next start; what it says, at once.
        otlp: a receiver to push to.
    """

    interval: Interval = 5.0
    slow_interval: Interval = 15.0
    deadline: Interval = 4.0
    max_series: Annotated[int, Field(ge=1)] = 5000
    discover: bool = True
    web_config: str = ""
    otlp: OtlpSettings | None = None
    host: HostSettings = HostSettings()
    textfile: TextfileSettings = TextfileSettings()
    process_groups: tuple[ProcessGroupSettings, ...] = ()
    postgres: tuple[PostgresSettings, ...] = ()
    mysql: tuple[MysqlSettings, ...] = ()
    redis: tuple[RedisSettings, ...] = ()
    celery: tuple[CelerySettings, ...] = ()
    rq: tuple[RqSettings, ...] = ()
    dramatiq: tuple[DramatiqSettings, ...] = ()
    rabbitmq: tuple[RabbitmqSettings, ...] = ()
    probes: tuple[ProbeSettings, ...] = ()

    @model_validator(mode="after")
    def _name_each_queue_once(self) -> Self:
        queues = [
            queue
            for applications in (self.celery, self.rq, self.dramatiq)
            for application in applications
            for queue in application.queues
        ]
        queues += [queue for server in self.rabbitmq for queue in server.task_queues]
        twice = sorted({queue for queue in queues if queues.count(queue) > 1})
        if twice:
            raise ValueError(f"expected each queue once, got {', '.join(twice)} more often")
        return self

    @model_validator(mode="after")
    def _watch_each_thing_once(self) -> Self:
        names = [recipe.name for recipe in self._configured()]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected each once, got {', '.join(twice)} twice: make them one")
        return self

    @model_validator(mode="after")
    def _say_the_same_of_each_metric(self) -> Self:
        """Two servers may be asked one query, but no metric can be two things."""
        said: dict[str, object] = {}
        for server in self.postgres:
            for name, query in server.queries.items():
                for metric in query.metrics_told(name):
                    if said.setdefault(metric, query.metrics) != query.metrics:
                        raise ValueError(f"expected one meaning of {metric}, got two queries' own")
        return self

    @property
    def pace(self) -> Pace:
        """The limits of all collectors."""
        return Pace(self.interval, self.slow_interval, self.deadline, self.max_series)

    @property
    def kinds_to_discover(self) -> list[str]:
        """The kinds of server to look for: those the file says nothing of."""
        configured = {
            "postgres": self.postgres,
            "mysql": self.mysql,
            "redis": self.redis,
            "celery": self.celery,
            "rq": self.rq,
        }
        return [kind for kind, servers in configured.items() if self.discover and not servers]

    def recipes(self, discovered: Iterable[Candidate] = ()) -> list[Recipe]:
        """Return what to run, in the order it is exposed; what is configured before the rest."""
        found = [*self._configured(), *map(self._recipe_for, discovered)]
        return list({recipe.name: recipe for recipe in found}.values())

    def _recipe_for(self, candidate: Candidate) -> Recipe:
        arguments = dict(candidate.arguments)
        if candidate.kind in BOUNDS:
            arguments |= BOUNDS[candidate.kind] | self.pace.question_limits
        return self.pace.recipe(candidate.name, candidate.kind, arguments)

    def _configured(self) -> Iterator[Recipe]:
        pace = self.pace
        yield pace.recipe("process", "process", {}, lane=HOST_LANE)
        yield from self.host.recipes(pace)
        yield from self.textfile.recipes(pace)
        yield from recipes_of(self.process_groups, self.host.proc, pace)
        sections: tuple[Section, ...] = (
            *self.postgres, *self.mysql, *self.redis, *self.celery, *self.rq, *self.dramatiq,
            *self.rabbitmq, *self.probes,
        )  # fmt: skip
        for section in sections:
            yield from section.recipes(pace)
