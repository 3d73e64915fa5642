"""From what the files say to what is started: order, ports, commands and environments."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from watchkeeper import addresses, check
from watchkeeper.configuration import line_of, load
from watchkeeper.errors import ConfigError, Problem, Refused
from watchkeeper.supervisor import prometheus_binary
from watchkeeper.supervisor.entrusted import secrets_named_in, withheld
from watchkeeper.supervisor.settings import ProcessSettings, StackSettings

PROJECT = Path(__file__).resolve().parents[2]
"""Where the rooms, ``prometheus/`` and ``examples/`` lie beside each other."""

DEMO_CONFIG_DIR = PROJECT / "examples" / "taskboard" / "config"

_PLACEHOLDER = re.compile(r"\{(?P<name>[a-z_]+)(?::(?P<argument>[\w.-]+))?\}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack runs.

    Attributes:
        data_dir: absolute; holds all state.
        config_dir: whose files take the place of the shipped ones.
        port_offset: added to every port.
    """

    data_dir: Path
    config_dir: Path | None = None
    port_offset: int = 0


@dataclass(frozen=True, slots=True)
class Launch:
    """What it takes to start one instance.

    Attributes:
        environment: added to the supervisor's own.
        withheld: variables of the supervisor's own that hold secrets of other processes.
    """

    name: str
    instance: int
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    port: int
    withheld: frozenset[str] = frozenset()

    @property
    def url(self) -> str:
        """The base URL of the instance."""
        return f"http://127.0.0.1:{self.port}"


class Stack:
    """The processes to run, each after those it waits for.

    Args:
        processes: by name.
        place: where they run.
        environment: given to all, with the same placeholders as a process' own.

    Raises:
        ConfigError: a process waits for one that is not there, or in a circle; or two processes
            want the same port.
    """

    def __init__(
        self,
        processes: Mapping[str, ProcessSettings],
        place: Place,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.place = place
        self._environment = dict(environment or {})
        self._secrets = {
            file: secrets_named_in(check.config_file(file, place.config_dir))
            for file in check.FILES
        }
        self.processes = {name: processes[name] for name in _starting_order(processes)}
        _require_distinct_ports(self.ports())

    def port_of(self, name: str, instance: int = 1) -> int:
        """Return the port of an instance; KeyError for a process that is not in the stack."""
        return self.processes[name].port + self.place.port_offset + instance - 1

    def ports(self) -> list[tuple[int, str]]:
        """Return every port that may be used, up to the most instances, with its process."""
        return [
            (self.port_of(name, instance), name)
            for name, settings in self.processes.items()
            for instance in range(1, settings.maximum_instances + 1)
        ]

    def addresses(self) -> dict[str, str]:
        """Return what every process is told: where the data lies and where the parts are."""
        urls = {
            f"WATCHKEEPER_{name.upper().replace('-', '_')}_URL": (
                f"http://127.0.0.1:{self.port_of(name)}"
            )
            for name in self.processes
        }
        return {"WATCHKEEPER_DATA_DIR": str(self.place.data_dir), **urls}

    def launch(self, name: str, instance: int) -> Launch:
        """Return how to start an instance (from 1) of a process.

        Raises:
            ConfigError: a placeholder in the command or environment is unknown.
            Refused: Prometheus is asked for and not installed.
        """
        settings = self.processes[name]
        fill = _Placeholders(self, name, instance)
        own = f"processes.{name}"
        shared = {key: fill(f"environment.{key}", text) for key, text in self._environment.items()}
        its = {
            key: fill(f"{own}.environment.{key}", text)
            for key, text in settings.environment.items()
        }
        return Launch(
            name,
            instance,
            tuple(fill(f"{own}.command", part) for part in settings.command),
            {**self.addresses(), **shared, **its},
            self.port_of(name, instance),
            withheld(settings.command, self._secrets),
        )


class _Placeholders:
    """Fills ``{name}`` and ``{name:argument}`` for one instance."""

    def __init__(self, stack: Stack, name: str, instance: int) -> None:
        self._stack, self._name, self._instance = stack, name, instance
        self._known: dict[str, Callable[[str | None], str]] = {
            "python": lambda _: sys.executable,
            "port": self._port,
            "data_dir": lambda _: str(stack.place.data_dir),
            "instance": lambda _: str(instance),
            "config": lambda file: str(check.config_file(file or "", stack.place.config_dir)),
            "prometheus": lambda _: str(prometheus_program()),
        }

    def __call__(self, key: str, text: str) -> str:
        """Return ``text`` filled; ``key`` is where it stands in the file."""
        return _PLACEHOLDER.sub(lambda match: self._fill(match, key), text)

    def _fill(self, match: re.Match[str], key: str) -> str:
        try:
            return self._known[match["name"]](match["argument"])
        except KeyError:
            message = (
                f"{match.group()} stands for nothing; expected {{{'}, {'.join(self._known)}}}, "
                "{port:NAME} of a process in the stack or {config:FILE}"
            )
            problem = Problem("stack.yml", 1, key, message)
            raise ConfigError([problem]) from None

    def _port(self, name: str | None) -> str:
        if name is None:
            return str(self._stack.port_of(self._name, self._instance))
        return str(self._stack.port_of(name))


def read(place: Place, *, without: frozenset[str] = frozenset()) -> Stack:
    """Return the shipped stack with the config directory's ``stack.yml`` laid over it.

    Args:
        without: processes to leave out.

    Raises:
        ConfigError: a file cannot be used, or the processes do not fit together.
    """
    shipped = check.config_file("stack.yml", None)
    in_force = check.config_file("stack.yml", place.config_dir)
    settings = load(shipped, StackSettings)
    processes, environment = dict(settings.processes), dict(settings.environment)
    if in_force != shipped:
        laid_over = load(in_force, StackSettings)
        processes.update(laid_over.processes)
        environment.update(laid_over.environment)
    wanted = {
        name: settings
        for name, settings in processes.items()
        if settings is not None and name not in without
    }
    left_out = processes.keys() - wanted.keys()
    after = {name: _not_after(settings, left_out) for name, settings in wanted.items()}
    files = (in_force, shipped)
    try:
        stack = Stack(after, place, environment)
    except ConfigError as error:
        raise ConfigError([_located(problem, files) for problem in error.problems]) from None
    problems = [_located(problem, files) for problem in _launch_problems(stack)]
    if problems:
        raise ConfigError(problems)
    return stack


def problems_in(config_dir: Path | None) -> list[Problem]:
    """Return what is wrong with the stack as a whole, its commands and its environments."""
    try:
        read(Place(addresses.data_dir().absolute(), config_dir))
    except ConfigError as error:
        return error.problems
    return []


def _launch_problems(stack: Stack) -> list[Problem]:
    problems: list[Problem] = []
    for name in stack.processes:
        try:
            stack.launch(name, 1)
        except ConfigError as error:
            # What stands in the environment of all is wrong for each of them.
            problems += [problem for problem in error.problems if problem not in problems]
        except Refused:  # Prometheus is not installed: no fault of the files
            continue
    return problems


def _located(problem: Problem, files: tuple[Path, ...]) -> Problem:
    """Return the problem at its line in the first of the files that has its key."""
    for file in files:
        line = line_of(file, problem.key)
        if line is not None:
            return replace(problem, file=str(file), line=line)
    return replace(problem, file=str(files[0]))


def _not_after(settings: ProcessSettings, left_out: set[str]) -> ProcessSettings:
    # Who leaves out a process on purpose means the others to run without waiting for it.
    after = tuple(name for name in settings.after if name not in left_out)
    return settings.model_copy(update={"after": after})


def prometheus_program() -> Path:
    """Return the Prometheus program; raise Refused saying how to get it when there is none."""
    found = prometheus_binary.find(PROJECT / ".cache")
    if found is None:
        raise Refused(
            "Prometheus is not installed; run `make setup` (which also fetches it), install your "
            "system's prometheus package, or run without it: watchkeeper up --no-prometheus"
        )
    return found


def _starting_order(processes: Mapping[str, ProcessSettings]) -> list[str]:
    unknown = [
        Problem("stack.yml", 1, f"processes.{name}.after", f"there is no process {other!r}")
        for name, settings in processes.items()
        for other in settings.after
        if other not in processes
    ]
    if unknown:
        raise ConfigError(unknown)
    graph = {name: settings.after for name, settings in processes.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " after ".join(error.args[1])
        key = f"processes.{error.args[1][-1]}.after"
        problem = Problem("stack.yml", 1, key, f"wait for each other: {circle}")
        raise ConfigError([problem]) from None


def _require_distinct_ports(ports: list[tuple[int, str]]) -> None:
    holder: dict[int, str] = {}
    for port, name in ports:
        if holder.setdefault(port, name) != name:
            message = f"port {port} is also that of {holder[port]}"
            raise ConfigError([Problem("stack.yml", 1, f"processes.{name}.port", message)])
