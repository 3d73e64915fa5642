"""The configuration each part runs on, as the part itself tells it; secrets never reach us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from dashboards.console.answers import Answer, field, read
from watchkeeper.errors import UpstreamError
from watchkeeper.peers import Peer

PATH = "/api/v1/configuration"

DUMPER: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""In C where PyYAML has that: four times as quick, and settings are long."""


class ConfigurationFile(Answer):
    """One file in force; ``problem`` says why its last edit is not."""

    file: str
    problem: str | None = None
    settings: Any = None
    original: str = ""
    """The file itself, from a part that tells that instead of its settings."""

    @property
    def text(self) -> str:
        """The settings as YAML, in the order of their model."""
        if self.original:
            return self.original
        text: str = yaml.dump(
            self.settings, Dumper=DUMPER, sort_keys=False, allow_unicode=True, width=100
        )
        return text


def files_of(peer: Peer) -> list[ConfigurationFile]:
    """Return the files a part runs on; raise UpstreamError when it does not tell."""
    try:
        return HOW.get(peer.part, _as_our_parts_do)(peer)
    except UpstreamError as error:
        if error.status != 404:
            raise
        raise UpstreamError("It has no such answer.", reason=error.reason, status=404) from None


def _as_our_parts_do(peer: Peer) -> list[ConfigurationFile]:
    found = field(peer.get(PATH), "files", part=peer.part)
    return read(list[ConfigurationFile], found, part=peer.part)


def _as_alertmanager_does(peer: Peer) -> list[ConfigurationFile]:
    status = field(peer.get("/api/v2/status"), "config", part=peer.part)
    original = read(str, field(status, "original", part=peer.part), part=peer.part)
    return [ConfigurationFile(file="alerting.yml", original=original)]


HOW: dict[str, Callable[[Peer], list[ConfigurationFile]]] = {"alerting": _as_alertmanager_does}
"""By part, where it is another way than ours."""
