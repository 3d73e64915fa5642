"""Ending the session others wait for, on a real PostgreSQL, as a role that is no superuser."""

import threading
from contextlib import ExitStack

import psycopg
import pytest

from remediation.actuators.terminate_blocker import TerminateBlocker
from remediation.deed import OutcomeUnknown
from remediation.targets.postgres import BlockerTarget
from tests.remediation.cut_off import cut_off_after
from tests.remediation.postgres_server import ROLE, connect
from tests.waiting import wait_until
from watchkeeper.errors import Reason, Refused, UpstreamError

pytestmark = pytest.mark.live

COUNT_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"


class Street:
    """Sessions that hold and want the one lock of a table."""

    def __init__(self, port, sessions):
        self._port = port
        self._sessions = sessions
        self._holders = []
        self.watcher = sessions.enter_context(connect(port))
        self.watcher.execute("CREATE TABLE IF NOT EXISTS bridge ()")

    def hold(self, user):
        holder = self._sessions.enter_context(connect(self._port, user))
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE bridge")
        self._holders.append(holder)
        return holder

    def let_go(self):
        for holder in self._holders:
            holder.close()

    def want(self, user="taskboard"):
        before = self.waiting()
        wanter = self._sessions.enter_context(connect(self._port, user))
        thread = threading.Thread(
            target=lambda: wanter.execute("SELECT count(*) FROM bridge").fetchone()
        )
        thread.start()
        self._sessions.callback(thread.join, 60)
        wait_until(lambda: self.waiting() == before + 1, what="one more waits")
        return thread

    def waiting(self):
        return self.watcher.execute(COUNT_WAITING).fetchone()[0]


@pytest.fixture
def street(postgres_port):
    with ExitStack() as sessions:
        street = Street(postgres_port, sessions)
        street.watcher.execute("GRANT ALL ON bridge TO taskboard, " + ROLE)
        yield street
        street.let_go()


@pytest.fixture
def actuator(postgres_port):
    def make(user=ROLE, **limits):
        allowed = {
            "postgres": {"port": postgres_port, "user": user},
            "users": ["taskboard"],
            "databases": ["taskboard"],
            "minimum_wait": 0,
            **limits,
        }
        return TerminateBlocker("orders", BlockerTarget.model_validate(allowed), {})

    return make


def is_open(session):
    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def test_who_is_waited_for_is_ended_and_the_others_go_on(street, actuator):
    holder = street.hold("taskboard")
    first, second = street.want(), street.want()
    done = actuator().perform()
    assert done.detail["pid"] == holder.info.backend_pid
    assert len(done.detail["waiting"]) == 2
    assert "which 2 session(s) waited for" in done.summary
    first.join(60)
    second.join(60)
    assert street.waiting() == 0
    assert not is_open(holder)


def test_a_preview_names_it_and_ends_nobody(street, actuator):
    holder = street.hold("taskboard")
    street.want()
    assert (
        actuator()
        .preview()
        .summary.startswith(
            f"would end session {holder.info.backend_pid} of taskboard in taskboard ("
        )
    )
    assert is_open(holder)


def test_a_superuser_is_not_ended_even_when_it_is_named(street, actuator):
    holder = street.hold("postgres")
    street.want()
    with pytest.raises(Refused, match=r"of postgres in taskboard .* is never ended"):
        actuator(users=["postgres", "taskboard"]).perform()
    assert is_open(holder)


def test_a_wait_that_is_short_ends_nobody(street, actuator):
    holder = street.hold("taskboard")
    street.want()
    with pytest.raises(Refused, match="it may be ended after 3600 s"):
        actuator(minimum_wait=3600).perform()
    assert is_open(holder)


def test_a_user_or_database_that_is_not_named_is_left_alone(street, actuator):
    holder = street.hold("taskboard")
    street.want()
    for limits in ({"users": ["shop"]}, {"databases": ["shop"]}):
        with pytest.raises(Refused, match="not among the users and databases allowed"):
            actuator(**limits).perform()
    assert is_open(holder)


@pytest.mark.usefixtures("street")
def test_when_nobody_waits_nothing_is_done(actuator):
    assert actuator().perform().summary == "nobody waits for a session of orders"


def test_the_server_itself_refuses_a_role_without_the_grant(street, actuator):
    street.watcher.execute("DROP ROLE IF EXISTS onlooker")
    street.watcher.execute("CREATE ROLE onlooker LOGIN IN ROLE pg_read_all_stats")
    holder = street.hold("taskboard")
    street.want()
    with pytest.raises(UpstreamError, match="permission denied to terminate process") as refused:
        actuator(user="onlooker").perform()
    assert refused.value.reason is Reason.PERMISSION
    assert is_open(holder)


def test_a_connection_that_breaks_while_it_ends_leaves_open_whether_it_did(
    street, actuator, postgres_port
):
    holder = street.hold("taskboard")
    wanter = street.want()
    with (
        cut_off_after(b"pg_terminate_backend", postgres_port) as port,
        pytest.raises(OutcomeUnknown, match="whether it was done is not known") as caught,
    ):
        actuator(postgres={"port": port, "user": ROLE}).perform()
    assert caught.value.reason is Reason.CONNECTION
    wanter.join(60)
    assert not is_open(holder)  # here it did
