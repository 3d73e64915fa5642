"""What to do next follows from the numbers, and nothing follows from none."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dashboards.report.action_items import RULES, draw
from dashboards.report.forecast import Forecast
from dashboards.report.history import Chapter
from dashboards.report.limits_ahead import LimitAhead, Lookout
from dashboards.report.measure import Measure
from dashboards.report.unusual import Unusual
from dashboards.spec import Level, Unit

START = datetime(2026, 3, 3, tzinfo=UTC)
DAY = 86_400.0


@dataclass
class Findings:
    seconds: float = DAY
    measures: list = field(default_factory=list)
    chapters: list = field(default_factory=list)
    unusual: list = field(default_factory=list)
    forecasts: list = field(default_factory=list)
    lookout: Lookout = field(default_factory=Lookout)


def chapter(**changes):
    ended = START + timedelta(minutes=9)
    return Chapter(
        **{
            "id": "i-1", "title": "Slow", "service": "shop", "severity": "warning",
            "started_at": START, "resolved_at": ended, "culprits": (), "actions": (),
            "fixed_by": "", "told_after_seconds": 3.0, "notes": (),
        }
        | changes
    )  # fmt: skip


def measure(**changes):
    return Measure(
        **{
            "metric": "Response time", "series": "shop", "unit": Unit.SECONDS, "board": "b",
            "mean": 0.7, "p95": 0.9, "p99": 1.2, "largest": 2.0, "trend_ratio": 0.5,
            "level": Level.NOTICE, "values": (),
        }
        | changes
    )  # fmt: skip


def told(**findings):
    return [item.what for item in draw(Findings(**findings))]


def test_nothing_follows_from_nothing():
    assert told() == []


def test_what_is_full_soon_comes_before_what_happened():
    soon = Forecast("Disk space", "/data", 0.9, 0.02, 5 * DAY)
    assert told(forecasts=[soon], chapters=[chapter(resolved_at=None), chapter(), chapter()]) == [
        "Make room: Disk space /data", "End it: Slow", "Find the cause of: Slow",
    ]  # fmt: skip


def test_what_is_full_in_a_season_waits():
    assert told(forecasts=[Forecast("Disk space", "/", 0.5, 0.005, 60 * DAY)]) == []


def test_a_limit_is_told_of_with_its_span_once_the_forecast_warns_of_it():
    near = LimitAhead("filesystem-full", "{}", 7200.0, 3600.0, None, warns=True)
    far = LimitAhead("memory-full", "{}", 2 * DAY, DAY, 3 * DAY, warns=False)
    [item] = draw(Findings(lookout=Lookout(2, (near, far))))
    assert item.what == "Keep from its limit: filesystem-full {}"
    assert item.evidence == "forecast to be there in 2 h (eight in ten futures: 1 h to later)"


def test_something_done_that_nothing_confirmed_is_looked_at():
    assert told(chapters=[chapter(actions=("restart web",))]) == [
        "Look at what was done about: Slow"
    ]
    assert told(chapters=[chapter(actions=("restart web",), fixed_by="restart web")]) == []


def test_a_metric_is_told_of_when_it_matters_and_got_worse():
    assert told(measures=[measure()]) == ["Look at response time of shop"]
    assert told(measures=[measure(trend_ratio=0.1)]) == []
    assert told(measures=[measure(level=Level.OK)]) == []
    assert told(measures=[measure(level=Level.CRITICAL, trend_ratio=None)]) == [
        "Look at response time of shop"
    ]


def test_incidents_nobody_was_told_of_are_one_item_with_their_number():
    [item] = draw(Findings(chapters=[chapter(told_after_seconds=None), chapter(title="Other")]))
    assert item.evidence.startswith("1 of 2 incidents without a delivered message: Slow")


def test_late_messages_are_told_of_with_how_late():
    [item] = draw(Findings(chapters=[chapter(told_after_seconds=600.0)]))
    assert "10 min after it began" in item.evidence


def test_what_is_unusual_for_a_fifth_of_the_time_asks_for_a_decision():
    long = Unusual("cpu", "{}", START, 3.0, DAY / 4)
    assert told(unusual=[long]) == ["Decide whether this is the new normal: cpu {}"]
    assert told(unusual=[Unusual("cpu", "{}", START, 3.0, DAY / 10)]) == []


def test_every_rule_is_tried_here():
    assert len(RULES) == 8
