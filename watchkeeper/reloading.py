"""Following a configuration file while a service runs, and showing whether the last edit holds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TypeVar

from flask import jsonify

from watchkeeper.catalogue import watchkeeper as own
from watchkeeper.configuration import Settings, WatchedFile
from watchkeeper.errors import ConfigError
from watchkeeper.in_force import PATH, told
from watchkeeper.serving import Service

Model = TypeVar("Model", bound=Settings)


def follow(service: Service, path: Path, model: type[Model]) -> WatchedFile[Model]:
    """Load ``path`` and look at it again before every request that ``service`` answers.

    Prometheus' scrapes make that at least once a scrape interval. An edit that cannot be used
    leaves the settings in force, and shows as 0 in the gauge and as a line in the log. What is in
    force is told at ``/api/v1/configuration``.

    Raises:
        ConfigError: the file cannot be used at all.
    """
    name = path.name
    ok = own.CONFIG_RELOAD_OK.gauge(service.registry).labels(name)
    read_at = own.CONFIG_RELOAD_TIME.gauge(service.registry).labels(name)

    def note(problem: ConfigError | None) -> None:
        ok.set(problem is None)
        if problem is None:
            read_at.set(time.time())

    file = WatchedFile(path, model, on_reload=note)
    note(None)

    def look() -> None:
        file.reload_if_changed()

    service.app.before_request(look)
    service.app.add_url_rule(PATH, "configuration_in_force", lambda: jsonify(files=[told(file)]))
    return file
