"""docs/metrics.md says what the catalogue says, and who exposes each metric."""

import pytest

from agent.collectors import COLLECTORS
from watchkeeper.catalogue import every_metric
from watchkeeper.catalogue.document import ROOT, TARGET, document
from watchkeeper.catalogue.sources import sources_of_metrics


@pytest.fixture(scope="module")
def sources():
    return sources_of_metrics(ROOT)


def test_the_committed_document_is_what_the_catalogue_gives():
    assert TARGET.read_text() == document(), "run: make metrics"


def test_it_has_a_line_for_every_metric():
    lines = TARGET.read_text().splitlines()
    named = {line.split("`")[1] for line in lines if line.startswith("| `")}
    assert named == set(every_metric())


@pytest.mark.parametrize(
    ("metric", "source"),
    [
        ("node_load1", "`load`"),
        ("pg_stat_database_xact_commit", "`postgres`"),
        ("redis_up", "`redis`"),
        ("anomaly_score", "anomaly"),
        ("watchkeeper_outbox_pending", "alerting"),
        ("watchkeeper_otlp_pushed_total", "agent"),
        ("http_server_request_duration_seconds", "instrument"),
    ],
)
def test_a_metric_is_said_to_come_from_who_exposes_it(sources, metric, source):
    assert source in sources[metric]


def test_every_collector_brings_something(sources):
    bringing = {source for named in sources.values() for source in named}
    shipped = {kind for kind, place in COLLECTORS.items() if place.startswith("agent.")}
    assert {f"`{kind}`" for kind in shipped} <= bringing


def test_only_what_prometheus_says_of_itself_has_no_source():
    lines = [line.split(" | ") for line in TARGET.read_text().splitlines() if "| `" in line]
    without = {cells[0].split("`")[1] for cells in lines if not cells[4].strip()}
    own = ("prometheus_", "scrape_", "service:")  # the last are recorded by rules
    assert all(name.startswith(own) for name in without), without
