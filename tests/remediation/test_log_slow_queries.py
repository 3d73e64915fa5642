"""Logging slow statements on a real PostgreSQL, with a role that may do only that."""

import pytest

from remediation.actuators.log_slow_queries import LogSlowQueries
from remediation.refusal import CallRefused
from remediation.targets.postgres import SlowLogTarget
from tests.remediation.postgres_server import (
    ROLE,
    change_threshold,
    connect,
    wait_for_threshold,
)
from watchkeeper.errors import Reason, UpstreamError

pytestmark = pytest.mark.live


@pytest.fixture
def database(postgres_port):
    """A superuser's session on a server whose setting nobody has touched."""
    with connect(postgres_port) as session:
        change_threshold(session, "RESET log_min_duration_statement", "-1")
        yield session


def address(port, changes):
    return {"port": port, "user": ROLE} | changes


@pytest.fixture
def actuator(postgres_port):
    def make(parameters=None, target=None, **changes):
        allowed = {"postgres": address(postgres_port, changes), **(target or {})}
        return LogSlowQueries("orders", SlowLogTarget.model_validate(allowed), parameters or {})

    return make


def do(actuator, kept=None):
    state = actuator.state(kept)
    return state, actuator.perform()


def test_slow_statements_are_logged_and_then_no_more(actuator, database):
    state, done = do(actuator())
    assert done.summary == "orders logs statements from 500 ms for 1800 s"
    wait_for_threshold(database, "500ms")
    assert actuator().revert(state).summary == "orders logs no slow statements again"
    wait_for_threshold(database, "-1")


def test_a_session_that_was_open_before_is_logged_too(actuator, database, postgres_port):
    with connect(postgres_port, "taskboard") as earlier:
        wait_for_threshold(earlier, "-1")
        do(actuator())
        wait_for_threshold(earlier, "500ms")


def test_what_an_administrator_had_set_comes_back(actuator, database):
    change_threshold(database, "SET log_min_duration_statement = 5000", "5s")
    state, _ = do(actuator())
    wait_for_threshold(database, "500ms")
    actuator().revert(state)
    wait_for_threshold(database, "5s")


def test_repeating_it_keeps_what_was_before_the_first_time(actuator, database):
    change_threshold(database, "SET log_min_duration_statement = 5000", "5s")
    first, _ = do(actuator())
    second, done = do(actuator({"threshold_ms": 700}), first)
    assert done.summary == "orders already logs those from 500 ms"
    actuator().revert(second)
    wait_for_threshold(database, "5s")


def test_what_somebody_else_set_meanwhile_is_left_alone(actuator, database):
    state, _ = do(actuator())
    change_threshold(database, "SET log_min_duration_statement = 250", "250ms")
    assert actuator().revert(state).summary == "left orders as it is: it logs those from 250 ms"
    wait_for_threshold(database, "250ms")


def test_a_server_that_already_logs_more_is_never_made_to_log_less(actuator, database):
    change_threshold(database, "SET log_min_duration_statement = 100", "100ms")
    state, done = do(actuator())
    assert done.summary == "orders already logs those from 100 ms"
    actuator().revert(state)
    wait_for_threshold(database, "100ms")


def test_a_preview_changes_nothing(actuator, database):
    told = actuator({"seconds": 60}).preview().summary
    assert told == (
        "would have orders log statements from 500 ms for 60 s; now logs no slow statements"
    )
    wait_for_threshold(database, "-1")


def test_a_value_that_does_not_take_effect_is_a_failure_and_is_not_left_behind(
    actuator, database, postgres_port
):
    database.execute(f"ALTER ROLE {ROLE} SET log_min_duration_statement = 9000")
    try:
        with pytest.raises(UpstreamError, match="is not in force"):
            actuator(target={"time_limit": 2}).perform()
        wait_for_threshold(database, "-1")
    finally:
        database.execute(f"ALTER ROLE {ROLE} RESET log_min_duration_statement")


@pytest.mark.parametrize("parameters", [{"threshold_ms": 499}, {"seconds": 1801}, {"loud": 1}])
def test_a_call_cannot_ask_for_more_than_is_allowed(actuator, parameters):
    with pytest.raises(CallRefused, match="parameters"):
        actuator(parameters)


def test_a_role_without_the_grants_is_told_of_and_changes_nothing(actuator, database):
    with pytest.raises(UpstreamError, match=r"permission denied .*what to grant") as refused:
        actuator(user="taskboard").perform()
    assert refused.value.reason is Reason.PERMISSION
    wait_for_threshold(database, "-1")


def test_without_the_right_to_reload_nothing_is_left_for_the_next_restart(actuator, database):
    # Functions are granted in each database by itself: in this one it was not.
    with pytest.raises(UpstreamError, match="permission denied for function pg_reload_conf"):
        actuator(database="taskboard").perform()
    left = "SELECT count(*) FROM pg_file_settings WHERE name = 'log_min_duration_statement'"
    assert database.execute(left).fetchone() == (0,)


def test_a_server_that_is_away_is_named(actuator):
    with pytest.raises(UpstreamError, match=r"database server 127\.0\.0\.1:1: "):
        actuator(port=1).perform()
