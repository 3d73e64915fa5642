"""Reading what somebody says over HTTP: what it is about, and from when to when."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from math import inf
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from anomaly.episodes import Episode, series_id
from anomaly.feedback import TOLERANCE_RATIO, Feedback, Kind
from anomaly.panel import SeriesKey, key_of
from anomaly.runner import QueryRunner
from watchkeeper.clock import parse_rfc3339
from watchkeeper.configuration import Settings
from watchkeeper.errors import Refused

LONGEST_NAME = 200


def _moment(value: object) -> object:
    return parse_rfc3339(value) if isinstance(value, str) else value


Moment = Annotated[datetime, BeforeValidator(_moment)]


class FeedbackRequest(Settings):
    """The body of ``POST /api/v1/feedback``.

    One of ``episode``, ``series`` and ``query`` with or without ``labels`` says what it is about;
    ``labels`` alone are about every query.
    """

    kind: Kind
    by: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    reason: Annotated[str, Field(max_length=2_000)] = ""
    episode: str | None = None
    series: str | None = None
    query: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    starts_at: Moment | None = Field(None, validation_alias=AliasChoices("starts_at", "from"))
    ends_at: Moment | None = Field(None, validation_alias=AliasChoices("ends_at", "until"))


def feedback_of(
    asked: FeedbackRequest, runners: Sequence[QueryRunner], *, now_seconds: float
) -> Feedback:
    """Return what is to be remembered.

    Raises:
        Refused: it names an episode, series or query there is not, or leaves out what its kind
            needs.
    """
    episode = _episode_of(asked, runners)
    query, labels, exact = _scope_of(asked, episode, runners)
    starts = _starts_seconds(asked, episode, now_seconds)
    ends = inf if asked.ends_at is None else asked.ends_at.timestamp()
    if asked.kind is Kind.EXCLUDE and asked.ends_at is None:
        ends = _episode_end(episode, now_seconds)
    if ends < starts:
        raise Refused("ends_at: expected a time after starts_at")
    tolerated = asked.kind is Kind.NOT_A_PROBLEM and episode is not None
    return Feedback(
        id=uuid.uuid4().hex[:16],
        kind=asked.kind,
        query=query,
        labels=labels,
        exact=exact,
        starts_seconds=starts,
        ends_seconds=ends,
        by=asked.by,
        reason=asked.reason,
        created_seconds=now_seconds,
        episode=episode.id if episode else None,
        below=TOLERANCE_RATIO * episode.below if tolerated and episode else 0.0,
        above=TOLERANCE_RATIO * episode.above if tolerated and episode else 0.0,
    )


def _episode_of(asked: FeedbackRequest, runners: Sequence[QueryRunner]) -> Episode | None:
    known = [one for runner in runners for one in runner.evaluation.episodes()]
    if asked.episode is not None:
        found = next((one for one in known if one.id == asked.episode), None)
        if found is None:
            raise Refused(f"no episode {asked.episode!r}; GET /api/v1/episodes lists them")
        return found
    if asked.kind not in (Kind.NOT_A_PROBLEM, Kind.ACCEPT):
        return None
    of_series = [one for one in known if series_id(one.query, one.key) == asked.series]
    if not of_series and asked.kind is Kind.NOT_A_PROBLEM:
        raise Refused("not-a-problem: expected an episode, or a series that had one")
    return max(of_series, key=lambda one: one.started_seconds, default=None)


def _scope_of(
    asked: FeedbackRequest, episode: Episode | None, runners: Sequence[QueryRunner]
) -> tuple[str | None, SeriesKey, bool]:
    if episode is not None:
        return episode.query, episode.key, True
    if asked.series is not None:
        views = (view for runner in runners for view in runner.views())
        found = next((view for view in views if view.id == asked.series), None)
        if found is None:
            raise Refused(f"no series {asked.series!r}; GET /api/v1/series lists them")
        return found.query, found.key, True
    if asked.query is not None and asked.query not in {runner.name for runner in runners}:
        raise Refused(f"no query {asked.query!r}; GET /api/v1/queries lists them")
    if asked.kind is Kind.ACCEPT and asked.query is None:
        raise Refused("accept: expected an episode, a series or a query")
    return asked.query, key_of(asked.labels), False


def _starts_seconds(asked: FeedbackRequest, episode: Episode | None, now_seconds: float) -> float:
    if asked.starts_at is not None:
        return asked.starts_at.timestamp()
    if episode is not None:
        return episode.started_seconds
    if asked.kind is Kind.EXCLUDE:
        raise Refused("exclude: expected starts_at, or an episode")
    return now_seconds


def _episode_end(episode: Episode | None, now_seconds: float) -> float:
    ended = episode.ended_seconds if episode else None
    return now_seconds if ended is None else ended
