"""What people say of a watched series, told to the anomaly service, and what they said before."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import AwareDatetime, Field

from dashboards.console.answers import Answer, field, read
from watchkeeper.peers import Peer

REASON_LETTERS = 500
KINDS = {
    "not-a-problem": "This was no trouble: it ends, and a little more of the same alerts nobody.",
    "accept": "This is the new normal: what came before it teaches no more.",
    "maintenance": "We are working on it: it alerts nobody and teaches nothing until taken back.",
}
"""What can be said, by the anomaly service's word for it."""


class Word(Answer):
    """One thing somebody said; ``holds`` until it is taken back."""

    id: str
    kind: str
    query: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    by: str = ""
    reason: str = ""
    created_at: AwareDatetime | None = None
    holds: bool = False


def listed(anomaly: Peer) -> list[Word]:
    """Return everything that was said, newest first."""
    found = field(anomaly.get("/api/v1/feedback"), "feedback", part="anomaly")
    return read(list[Word], found, part="anomaly")


def about(words: list[Word], query: str, labels: dict[str, str]) -> list[Word]:
    """Return what still holds for a series: said of it, of its query, or of some of its labels."""
    return [
        word
        for word in words
        if word.holds and word.query in (None, query) and word.labels.items() <= labels.items()
    ]


def say(anomaly: Peer, kind: str, series_id: str, *, by: str, reason: str) -> None:
    """Say something of a series; raise UpstreamError with the reason when it cannot be meant."""
    body = {"kind": kind, "series": series_id, "by": by, "reason": reason}
    anomaly.post("/api/v1/feedback", body)


def take_back(anomaly: Peer, word_id: str, *, by: str) -> None:
    """Take something back."""
    anomaly.post(f"/api/v1/feedback/{quote(word_id, safe='')}/undo", {"by": by})
