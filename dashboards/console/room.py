"""What every page of the console is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashboards.console.door import Door
from dashboards.console.settings import ConsoleSettings
from dashboards.console.sources import Sources
from dashboards.console.watch import Watch
from watchkeeper.clock import Clock


@dataclass(frozen=True, slots=True)
class Room:
    """The sources, what they last said, the settings in force, the time, and who may look."""

    sources: Sources
    watch: Watch
    settings: Callable[[], ConsoleSettings]
    clock: Clock
    door: Door
