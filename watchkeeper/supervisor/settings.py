"""What `stack.yml` says: the processes of the stack and how each is run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from watchkeeper.configuration import DurationSeconds, Settings

ProcessName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
Port = Annotated[int, Field(ge=1, le=65535)]


class Restart(StrEnum):
    """What happens when a process ends without having been asked to."""

    ALWAYS = "always"
    ON_REQUEST = "on-request"


class Scrape(Settings):
    """The labels under which Prometheus scrapes a process."""

    job: str
    service: str


class ProcessSettings(Settings):
    """One process, or several instances of it.

    ``command`` and the values of ``environment`` may hold ``{python}``, ``{port}`` (of this
    instance), ``{port:NAME}``, ``{data_dir}``, ``{instance}`` (from 1), ``{config:FILE}`` (the
    file in force) and ``{prometheus}`` (its binary). Instance N listens on ``port`` + N - 1.

    A process is given the supervisor's own environment, without the secrets (``{env: NAME}``) of
    configuration files that its command does not name as ``{config:FILE}``. One that needs such a
    variable nevertheless asks for it: ``environment: {NAME: "${NAME}"}``.

    ``hung_after`` is how long one that was ready may give no answer at all before it is ended and
    started again: what hangs tells nobody, alerting least of all. An answer that it is not ready
    counts as one. It holds for ``restart: always`` only.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    port: Port
    instances: Annotated[int, Field(ge=1, le=100)] = 1
    maximum_instances: Annotated[int, Field(ge=1, le=100)] = 1
    ready: Annotated[str, StringConstraints(pattern=r"^(tcp|/.*)$")] = "/readyz"
    after: tuple[ProcessName, ...] = ()
    restart: Restart = Restart.ALWAYS
    scrape: Scrape | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    ready_seconds: DurationSeconds = 60.0
    grace_seconds: DurationSeconds = 10.0
    hung_after: Annotated[DurationSeconds, Field(gt=0)] = 60.0

    @model_validator(mode="after")
    def _bounds_agree(self) -> Self:
        if self.instances > self.maximum_instances:
            raise ValueError(
                f"instances ({self.instances}) is more than maximum_instances "
                f"({self.maximum_instances})"
            )
        return self


class StackSettings(Settings):
    """A stack.

    Attributes:
        processes: by name; ``NAME: null`` leaves out one that another file declares.
        environment: for every process; its own comes before this.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)

    processes: dict[ProcessName, ProcessSettings | None] = Field(default_factory=dict)
    environment: dict[str, str] = Field(default_factory=dict)
