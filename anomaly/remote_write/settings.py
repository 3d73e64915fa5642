"""What ``anomaly.yml`` may say of remote write."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from watchkeeper.configuration import DurationSeconds, Secret, Settings


class RemoteWriteSettings(Settings):
    """Where scores are written to, beside /metrics.

    Attributes:
        url: such as ``http://127.0.0.1:9090/api/v1/write``, on a Prometheus that runs with
            ``--web.enable-remote-write-receiver``.
        token: sent as bearer token.
        labels: added to every series, so that they are not taken for those of a scrape.
        every: how often what was judged since is written.
        timeout: of one request.
        keep: samples kept while the server cannot be reached; the oldest go first.
    """

    url: Annotated[str, Field(pattern=r"^https?://")]
    token: Secret | None = None
    labels: dict[str, str] = Field(default_factory=lambda: {"job": "anomaly-written"})
    every: Annotated[DurationSeconds, Field(gt=0)] = 5.0
    timeout: Annotated[DurationSeconds, Field(gt=0)] = 10.0
    keep: Annotated[int, Field(ge=1)] = 500_000
