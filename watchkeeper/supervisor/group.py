"""All instances of one process: as many as are wanted."""

from __future__ import annotations

from collections.abc import Callable

from watchkeeper.errors import Refused
from watchkeeper.supervisor.process import Process
from watchkeeper.supervisor.settings import ProcessSettings
from watchkeeper.supervisor.status import ProcessStatus, State

MakeInstance = Callable[[int], Process]
"""Makes the instance of a number, not started."""


class Group:
    """The instances of a process, from 1 upwards.

    Args:
        name: the process.
        settings: how it is run.
        make: makes an instance.
    """

    def __init__(self, name: str, settings: ProcessSettings, make: MakeInstance) -> None:
        self.name = name
        self.settings = settings
        self._make = make
        self._instances = {number: make(number) for number in range(1, settings.instances + 1)}
        self._leaving: dict[int, Process] = {}
        self.is_started = False

    @property
    def count(self) -> int:
        """How many instances are wanted."""
        return len(self._instances)

    @property
    def is_ready(self) -> bool:
        """Whether every wanted instance is ready."""
        return all(one.state is State.READY for one in self._instances.values())

    @property
    def is_running(self) -> bool:
        """Whether any instance has a child, also one that is ending."""
        return any(one.is_running for one in self.all())

    def all(self) -> list[Process]:
        """Return every instance, also those that are on their way out."""
        return [*self._instances.values(), *self._leaving.values()]

    def choose(self, instance: int | None) -> list[Process]:
        """Return one instance, or all for None; raise Refused for one that is not there."""
        if instance is None:
            return list(self._instances.values())
        if instance not in self._instances:
            raise Refused(f"{self.name} has {self.count} instance(s); there is no {instance}")
        return [self._instances[instance]]

    def statuses(self) -> list[ProcessStatus]:
        """Return what is known of each wanted instance."""
        return [one.status() for one in self._instances.values()]

    def start(self) -> None:
        """Start every instance."""
        self.is_started = True
        for one in self._instances.values():
            one.start()

    def restart(self, instance: int | None) -> dict[int, int | None]:
        """Restart one instance (all for None); return the pid each had before.

        One that has not been started yet, because it waits for others, is started now.

        Raises:
            Refused: there is no such instance.
        """
        chosen = self.choose(instance)
        before = {one.launch.instance: one.status().pid for one in chosen}
        if not self.is_started:
            self.start()
        else:
            for one in chosen:
                one.restart()
        return before

    def hold(self, reason: str) -> None:
        """Say why none has been started yet."""
        for one in self._instances.values():
            one.hold(reason)

    def require_scalable(self, instances: int) -> None:
        """Raise Refused for a number outside the declared bounds."""
        most = self.settings.maximum_instances
        if not 1 <= instances <= most:
            raise Refused(f"{self.name} runs 1 to {most} instance(s), not {instances}")

    def scale(self, instances: int) -> None:
        """Run this many: new ones are started, the highest-numbered are ended."""
        self.require_scalable(instances)
        for number in range(self.count + 1, instances + 1):
            # One that is still on its way out holds the port: it comes back once it has ended.
            one = self._leaving.pop(number, None) or self._make(number)
            self._instances[number] = one
            if self.is_started:
                one.restart()
        for number in range(self.count, instances, -1):
            one = self._leaving[number] = self._instances.pop(number)
            one.end(reason="scaled in")

    def cap_logs(self) -> list[str]:
        """Keep every log file within its size; return what went wrong with that."""
        for one in self.all():
            one.log.cap()
        return [one.log.problem for one in self.all() if one.log.problem]

    def end(self) -> None:
        """Ask every instance to end."""
        for one in self.all():
            one.end()

    def kill(self) -> None:
        """Kill every instance at once."""
        for one in self.all():
            one.kill()

    def tick(self) -> None:
        """Look at every instance once."""
        for one in self.all():
            one.tick()
        self._leaving = {number: one for number, one in self._leaving.items() if one.is_running}
