"""What is exposed is bounded, and what matters is in it."""

from datetime import UTC, datetime

import numpy as np
import pytest

from anomaly.evaluation import QueryEvaluation
from anomaly.metrics import SeriesCollector
from anomaly.settings import PublishSettings
from anomaly.view import State
from tests.anomaly.series import block, key, noise, query, time_of
from watchkeeper.catalogue.anomaly import MISSING

NOW = time_of(199)


@pytest.fixture(scope="module")
def crowd() -> QueryEvaluation:
    """Return a query of 50 series, of which /0 and /1 are anomalous at the end."""
    rows = {f"/{at}": noise(200, seed=at) for at in range(50)}
    rows["/0"][150:] += 30
    rows["/1"][199] += 30
    evaluation = QueryEvaluation("q", query(maximum_series=60))
    evaluation.advance(block(rows))
    return evaluation


def shown(evaluation: QueryEvaluation, publish: PublishSettings) -> list:
    return [view.key for view in evaluation.overview(NOW, publish).notable]


def test_of_many_series_those_that_matter_are_shown_the_alerting_first(crowd):
    found = shown(crowd, PublishSettings(all_up_to=10, floor=1.0))
    assert found[0] == key("/0")
    assert len(found) <= 10


def test_no_more_than_allowed_are_shown_however_many_matter(crowd):
    assert shown(crowd, PublishSettings(all_up_to=1, floor=0.0)) == [key("/0")]


def test_few_series_are_all_shown(crowd):
    assert len(shown(crowd, PublishSettings())) == 50


def test_what_is_not_shown_is_counted(crowd):
    overview = crowd.overview(NOW, PublishSettings(all_up_to=0))
    assert overview.notable == []
    assert overview.states[State.READY] == 50
    assert overview.anomalous == sum(view.score > 1 for view in crowd.views(NOW))
    assert overview.anomalous >= 1


def test_of_a_group_the_share_that_is_anomalous_is_told():
    rows = {f"/{at}": noise(200, seed=at) for at in range(5)}
    for values in rows.values():
        values[199] += 30
    evaluation = QueryEvaluation("q", query(group_by=["service"]))
    evaluation.advance(block(rows))
    assert evaluation.overview(NOW, PublishSettings()).rates == {"taskboard": 1.0}


def test_a_view_by_key_is_the_view_of_the_list(crowd):
    views = {view.key: view for view in crowd.views(NOW)}
    assert crowd.view_of(key("/7"), NOW) == views[key("/7")]
    assert crowd.view_of(key("/none"), NOW) is None


class Showing:
    """A query as the collector knows one."""

    name = "q"

    def __init__(self, evaluation: QueryEvaluation) -> None:
        self.evaluation = evaluation

    def overview(self, publish):
        return self.evaluation.overview(NOW, publish)


def scraped(evaluation: QueryEvaluation, all_up_to: int) -> list:
    collector = SeriesCollector(
        lambda: [Showing(evaluation)],
        lambda: datetime.fromtimestamp(NOW, UTC),
        lambda: PublishSettings(all_up_to=all_up_to),
    )
    return [sample for family in collector.collect() for sample in family.samples]


def test_the_scrape_says_how_many_there_are(crowd):
    samples = {
        (one.name, one.labels.get("state", "")): one.value
        for one in scraped(crowd, 3)
        if "series" not in one.labels
    }
    assert samples["anomaly_series", "ready"] == 50
    assert samples["anomaly_anomalous_series", ""] >= 1
    assert np.isfinite(samples["anomaly_lag_seconds", ""])


def gone(**policy) -> QueryEvaluation:
    """Return a query of 30 calm series, of which /7 ended 60 samples ago."""
    rows = {f"/{at}": noise(200, seed=at) for at in range(30)}
    rows["/7"][140:] = np.nan
    evaluation = QueryEvaluation("q", query(absent_after=300.0, **policy))
    evaluation.advance(block(rows))
    return evaluation


def test_an_absent_series_is_shown_among_many_where_absence_is_to_be_told():
    few = PublishSettings(all_up_to=1, floor=1e9)
    assert shown(gone(tell_absence=True), few) == [key("/7")]
    assert shown(gone(), few) == []


@pytest.mark.parametrize(("asked", "missing"), [(True, {"/7": 1.0, "/8": 0.0}), (False, {})])
def test_what_is_missing_is_told_only_of_queries_that_ask_for_it(asked, missing):
    told = {
        route: one.value
        for one in scraped(gone(tell_absence=asked), 100)
        for route in ("/7", "/8")
        if one.name == str(MISSING) and f'http_route="{route}"' in one.labels["series"]
    }
    assert told == missing
