"""The check that finds empty panels, against a real Prometheus."""

import json
import socket
import subprocess

import pytest
from click.testing import CliRunner

from dashboards.console.choices import matcher_of
from dashboards.live import check
from dashboards.queries import main
from dashboards.spec import Dashboard, Query, Row, Silence, Stat, Variable
from tests.waiting import wait_until
from watchkeeper.catalogue import prometheus as catalogue
from watchkeeper.errors import UpstreamError
from watchkeeper.prometheus import PrometheusClient

pytestmark = pytest.mark.live

WITHOUT_POSTGRES = Silence("a PostgreSQL is watched")


def board_of(*queries, variables=()):
    panels = tuple(Stat(title=q.expression, description="d", queries=(q,)) for q in queries)
    return Dashboard("uid", "Board", "?", (Row("r", panels),), variables)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A Prometheus that watches itself."""
    directory = tmp_path_factory.mktemp("prometheus")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = directory / "prometheus.yml"
    itself = {"job_name": "prometheus", "static_configs": [{"targets": [address]}]}
    settings = {"global": {"scrape_interval": "1s"}, "scrape_configs": [itself]}
    config.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    process = subprocess.Popen(
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}",
         f"--web.listen-address={address}", "--log.level=error"],
    )  # fmt: skip
    client = PrometheusClient(f"http://{address}")
    try:
        wait_until(client.is_ready, what="Prometheus to be ready")
        wait_until(lambda: client.query("up == 1"), what="the first scrape")
        yield client
    finally:
        process.terminate()
        process.wait(20)


def test_prometheus_accepts_every_query_of_every_board(client):
    refused = [finding for finding in check(client) if finding.problem != "no data"]
    assert refused == []


def test_a_query_without_an_answer_is_named_and_one_with_data_is_not(client):
    [finding] = check(client, [board_of(Query("up"), Query("pg_up"))])
    assert (finding.panel, finding.problem, finding.silence) == ("pg_up", "no data", None)


def test_silence_that_is_no_trouble_is_told_apart(client):
    [finding] = check(client, [board_of(Query("pg_up", silence=WITHOUT_POSTGRES))])
    assert finding.silence == WITHOUT_POSTGRES


def test_an_answer_of_no_number_is_no_data(client):
    [finding] = check(client, [board_of(Query("0 * vector(NaN)"))])
    assert finding.problem == "no data"


def test_a_malformed_query_is_a_finding_even_when_it_may_be_silent(client):
    [finding] = check(client, [board_of(Query("sum(", silence=WITHOUT_POSTGRES))])
    assert "parse error" in finding.problem
    assert finding.silence is None


def test_variables_are_filled_and_must_have_values(client):
    job = Variable("job", "Job", catalogue.UP, "job")
    none = Variable("none", "None", catalogue.UP, "none", within='job="absent"')
    board = board_of(Query('rate(up{job=~"$job"}[$__rate_interval])'), variables=(job, none))
    wait_until(lambda: client.query("rate(up[1m])"), what="a second scrape")
    [finding] = check(client, [board])
    assert finding.panel == "variable $none"


def test_the_command_prints_json_and_fails_when_panels_are_empty(client):
    result = CliRunner().invoke(main, ["--prometheus", client.base_url, "--json"])
    findings = json.loads(result.stdout)
    assert result.exit_code == 1
    assert {finding["dashboard"] for finding in findings} >= {"Task Integration"}


def test_a_prometheus_that_is_not_there_is_an_error_not_a_list_of_empty_panels():
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(UpstreamError):
        check(PrometheusClient(url, timeout_seconds=1.0))
    result = CliRunner().invoke(main, ["--prometheus", url])
    assert result.exit_code == 2


@pytest.mark.parametrize(
    "value", ['a"} or up{x="', "a\\", "a\nb", "(", "[", "{}", "a|b", "\u202e'`"]
)
def test_prometheus_takes_any_chosen_value_as_a_value(client, value):
    named = matcher_of(value)
    assert client.query(f'up{{job=~"{named}"}}') == []
    found = matcher_of("prometheus")
    assert len(client.query(f'up{{job=~"{found}"}}')) == 1
