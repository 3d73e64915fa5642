"""The two files alerting runs on, reloaded while it runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry

from alerting.remediation_rules import RemediationSettings
from alerting.settings import AlertingSettings
from watchkeeper.catalogue import watchkeeper as names
from watchkeeper.clock import Clock
from watchkeeper.configuration import WatchedFile
from watchkeeper.errors import ConfigError


class Configuration:
    """Always the last good settings of alerting.yml and remediation.yml.

    Raises:
        ConfigError: a file cannot be used at the start.
    """

    def __init__(
        self, alerting: Path, remediation: Path, *, registry: CollectorRegistry, clock: Clock
    ) -> None:
        self._ok = names.CONFIG_RELOAD_OK.gauge(registry)
        self._time = names.CONFIG_RELOAD_TIME.gauge(registry)
        self._clock = clock
        self._alerting = WatchedFile(
            alerting, AlertingSettings, on_reload=self._reporter("alerting.yml")
        )
        self._remediation = WatchedFile(
            remediation, RemediationSettings, on_reload=self._reporter("remediation.yml")
        )
        for file in ("alerting.yml", "remediation.yml"):
            self._reporter(file)(None)

    @property
    def alerting(self) -> AlertingSettings:
        """The router's settings in force."""
        return self._alerting.current

    @property
    def remediation(self) -> RemediationSettings:
        """The rules in force."""
        return self._remediation.current

    @property
    def alerting_path(self) -> Path:
        """Where the router's settings stand."""
        return self._alerting.path

    @property
    def remediation_path(self) -> Path:
        """Where the rules stand."""
        return self._remediation.path

    def alerting_text(self) -> str:
        """Return alerting.yml as it stands on disk; secrets are never in it."""
        try:
            return self._alerting.path.read_text(encoding="utf-8")
        except OSError:
            return ""

    def problems(self) -> list[str]:
        """Return what is wrong with the files as they stand, if they are not in force."""
        found = (self._alerting.problem, self._remediation.problem)
        return [str(problem) for error in found if error for problem in error.problems]

    def reload_if_changed(self) -> None:
        """Take over changed files; a bad one is reported and the old settings stay."""
        self._alerting.reload_if_changed()
        self._remediation.reload_if_changed()

    def _reporter(self, file: str) -> Callable[[ConfigError | None], None]:
        def report(problem: ConfigError | None) -> None:
            self._ok.labels(file).set(float(problem is None))
            if problem is None:
                self._time.labels(file).set(self._clock.now().timestamp())

        return report
