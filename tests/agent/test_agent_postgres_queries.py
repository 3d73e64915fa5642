"""Questions of a user's own are put to a real server, and hurt neither it nor what else is told."""

import re

import pytest
import yaml

from agent.collectors.postgres import PostgresCollector
from agent.configured import read_recipes
from agent.settings.whole import AgentSettings
from agent.text import Renderer, TextFormat, text_of
from tests.agent.probes import Page
from watchkeeper.catalogue.document import ROOT
from watchkeeper.configuration import load
from watchkeeper.errors import ConfigError

DOCUMENT = (ROOT / "docs" / "agent-databases.md").read_text()


def told_by(port, *queries, **options):
    collector = PostgresCollector(
        host="127.0.0.1", port=port, database="taskboard", user="taskboard", password="",
        statements=0, tables=0, timeout_seconds=20.0, slow_interval_seconds=0.0,
        queries=queries, **options,
    )  # fmt: skip
    try:
        return [
            Page(text_of(Renderer().render(list(collector.collect())), TextFormat.PROMETHEUS))
            for _ in range(2)
        ][-1]
    finally:
        collector.close()


def query(sql, name="shop", **changes):
    metrics = [("orders", "gauge", "Orders.")]
    plain = {"name": name, "sql": sql, "labels": ["state"], "metrics": metrics}
    return {**plain, "interval_seconds": 0.0, **changes}


@pytest.mark.live
def test_rows_become_series_by_their_labels(postgres_port):
    page = told_by(
        postgres_port,
        query("SELECT * FROM (VALUES ('new', 3), ('{odd}', NULL), (NULL, 4)) v (state, orders) --"),
    )
    assert page.labels("shop_orders") == [
        {"server": f"127.0.0.1:{postgres_port}", "state": state} for state in ("new", "")
    ]
    assert page.value("shop_orders", state="new") == 3
    assert page.value("shop_orders", state="") == 4
    assert page.value("pg_scrape_collector_success", collector="query shop") == 1


@pytest.mark.live
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'a' AS state, n AS orders FROM generate_series(1, 2) n",
        "SELECT n::text AS state, n AS orders FROM generate_series(1, 501) n",
        "SELECT 'a' AS state, 'many' AS orders",
        "SELECT 'a' AS state",
        "SELECT 'a' AS state, 1 AS orders FROM no_such_table",
        "CREATE TABLE mine (orders int)",
        "SELECT 'a' AS state, nextval('mine') AS orders",
        "SELECT 'a' AS state, 1 AS orders); DROP TABLE mine; --",
    ],
    ids=["twice", "too-many", "no-number", "no-column", "no-table", "ddl", "write", "two"],
)
def test_an_answer_that_cannot_be_told_costs_its_own_series_only(postgres_port, database, sql):
    database.execute("CREATE SEQUENCE IF NOT EXISTS mine; GRANT ALL ON mine TO public")
    good = query("SELECT 'b' AS state, 7 AS orders", name="fine")
    page = told_by(postgres_port, query(sql), good)
    assert page.value("pg_up") == 1
    assert page.labels("shop_orders") == []
    assert page.value("pg_scrape_collector_success", collector="query shop") == 0
    assert page.value("fine_orders", state="b") == 7


@pytest.mark.live
def test_a_question_is_asked_no_more_often_than_it_says(postgres_port):
    sql = "SELECT 'a' AS state, extract(epoch FROM clock_timestamp()) AS orders"
    rare, often = query(sql, interval_seconds=3600.0), query(sql, name="often")
    page = told_by(postgres_port, rare, often)
    assert page.value("shop_orders") < page.value("often_orders")


def configured(tmp_path, *queries):
    """Return a file of one server for each of the queries."""
    file = tmp_path / "agent.yml"
    servers = [{"port": 5432 + at, "queries": asked} for at, asked in enumerate(queries)]
    file.write_text(yaml.safe_dump({"postgres": servers}))
    return file


METRICS = [{"orders": {"usage": "GAUGE"}}]


@pytest.mark.parametrize(
    ("queries", "problem"),
    [
        ({"shop": {"query": " ; ", "metrics": METRICS}}, "shop.query: expected a statement"),
        ({"shop": {"query": "SELECT 1", "metrics": []}}, "shop.metrics: "),
        ({"a-b": {"query": "SELECT 1", "metrics": METRICS}}, "queries.a-b"),
        ({"shop": {"query": "SELECT 1", "metrics": METRICS * 2}}, "shop.metrics: expected each"),
        (
            {"shop": {"query": "SELECT 1", "metrics": [{"a": {"usage": "LABEL"}}]}},
            "shop.metrics: expected a column that is a GAUGE or a COUNTER",
        ),
        (
            {"shop": {"query": "SELECT 1", "metrics": [*METRICS, {"server": {"usage": "LABEL"}}]}},
            "shop.metrics: the label `server` is there already",
        ),
        (
            {"shop": {"query": "SELECT 1", "metrics": [{"a": {"usage": "HISTOGRAM"}}]}},
            "metrics[0].a.usage: expected 'LABEL', 'DISCARD', 'GAUGE' or 'COUNTER'",
        ),
        (
            {"pg": {"query": "SELECT 1", "metrics": [{"up": {"usage": "GAUGE"}}]}},
            "queries.pg: the agent tells of pg_up already",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_key(tmp_path, queries, problem):
    with pytest.raises(ConfigError) as told:
        load(configured(tmp_path, queries), AgentSettings)
    assert problem in str(told.value)


def test_a_metric_has_one_meaning_whatever_servers_are_asked(tmp_path):
    other = {"query": "SELECT 1", "metrics": [{"orders": {"usage": "COUNTER"}}]}
    queries = {"shop": {"query": "SELECT 1", "metrics": METRICS}}
    assert load(configured(tmp_path, queries, queries), AgentSettings)
    with pytest.raises(ConfigError, match="one meaning of shop_orders"):
        load(configured(tmp_path, queries, {"shop": other}), AgentSettings)


def test_the_example_of_the_documentation_can_be_used(tmp_path):
    examples = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    (example,) = [text for text in examples if "queries:" in text]
    (tmp_path / "agent.yml").write_text(f"discover: false\n{example}")
    (recipe,) = [one for one in read_recipes(tmp_path / "agent.yml") if one.kind == "postgres"]
    (told,) = recipe.arguments["queries"]
    assert (told["name"], told["labels"], told["interval_seconds"]) == ("orders", ["state"], 60)
    assert [metric[:2] for metric in told["metrics"]] == [
        ["waiting", "gauge"],
        ["oldest_seconds", "gauge"],
    ]
    recipe.make().close()
