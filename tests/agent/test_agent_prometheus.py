"""The real Prometheus takes what the agent serves, and calls it by the exporters' names."""

import shutil

import pytest

from tests.agent.running_agent import RunningAgent
from tests.agent.running_prometheus import RunningPrometheus
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="Prometheus is not installed"),
]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory, postgres_port, valkey_port):
    directory = tmp_path_factory.mktemp("prometheus")
    config = directory / "agent.yml"
    config.write_text(
        f"interval: 1s\nredis: [{{port: {valkey_port}}}]\n"
        f"postgres: [{{port: {postgres_port}, database: taskboard, user: taskboard}}]\n"
        f"celery:\n  - broker: {{port: {valkey_port}}}\n    queues: [published]\n"
    )
    agent = RunningAgent(config)
    prometheus = RunningPrometheus(directory, agent.url.removeprefix("http://"))
    yield prometheus
    prometheus.stop()
    agent.stop()


def test_every_scrape_is_good(prometheus):
    wait_until(
        lambda: prometheus.query("count_over_time(up[1m]) > 3"), what="some scrapes being made"
    )
    assert prometheus.query("min_over_time(up[1m])") == ["1"]
    assert float(prometheus.query("scrape_samples_scraped")[0]) > 500


@pytest.mark.parametrize(
    "expression",
    [
        "sum by (mode) (rate(node_cpu_seconds_total[30s])) >= 0",
        "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > 0",
        "node_filesystem_avail_bytes > 0",
        "rate(node_vmstat_pgfault[30s]) >= 0",
        "rate(pg_stat_database_xact_commit{datname='taskboard'}[30s]) > 0",
        "rate(pg_stat_statements_calls_total[30s]) >= 0",
        "pg_up == 1",
        "redis_up == 1",
        "rate(redis_commands_processed_total[30s]) > 0",
        "task_queue_depth{queue='published'} == 0",
        "watchkeeper_collector_success == 1",
    ],
)
def test_published_queries_find_their_series(prometheus, expression):
    wait_until(lambda: prometheus.query(expression), what=f"series for {expression}")


def test_with_everything_on_it_stays_below_45_megabytes(prometheus):
    query = "max_over_time(process_resident_memory_bytes{job='agent'}[1m])"
    found = wait_until(lambda: prometheus.query(query), what="the agent's own memory")
    assert float(found[0]) <= 45e6


def test_no_collector_fails(prometheus):
    wait_until(lambda: prometheus.query("watchkeeper_collector_success"), what="collectors")
    assert prometheus.query("watchkeeper_collector_success == 0") == []
