"""What the file says of database servers is told apart, or refused with the reason."""

import pytest

from agent.configured import read_recipes
from agent.settings.whole import AgentSettings
from watchkeeper.configuration import load
from watchkeeper.errors import ConfigError


@pytest.fixture
def file(tmp_path):
    return tmp_path / "agent.yml"


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("postgres: [{host: a}, {host: a, database: b}]\n", "once, got postgres a:5432 twice"),
        ("mysql: [{}, {user: other}]\n", "once, got mysql 127.0.0.1:3306 twice"),
        ("redis: [{}, {user: other}]\n", "once, got redis 127.0.0.1:6379 twice"),
        ("postgres: [{database: a, databases: [b, a]}]\n", "each database once, got a, b, a"),
    ],
)
def test_what_would_be_told_twice_is_refused(file, text, expectation):
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, AgentSettings)
    assert expectation in str(caught.value)


def test_a_server_that_proves_no_name_must_be_of_an_authority_of_ones_own(file):
    file.write_text("mysql:\n  - host: db\n    tls: verify-ca\n")
    with pytest.raises(ConfigError) as caught:
        load(file, AgentSettings)
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"{file}:3: mysql[0].tls: expected certificates of your own")
    file.write_text("mysql: [{host: db, tls: verify-ca, certificates: ca.pem}, {tls: verify}]\n")
    assert [one.tls for one in load(file, AgentSettings).mysql] == ["verify-ca", "verify"]


def test_further_databases_reach_the_collector(file):
    file.write_text("discover: false\npostgres: [{database: a, databases: [b, c]}]\n")
    (recipe,) = [one for one in read_recipes(file) if one.kind == "postgres"]
    assert list(recipe.arguments["databases"]) == ["b", "c"]
    recipe.make().close()
