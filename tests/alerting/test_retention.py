"""What is over is forgotten in time; what is still needed never is."""

from __future__ import annotations

import pytest

from alerting import audit
from watchkeeper.errors import StorageError
from watchkeeper.storage import reading, writing

DAY = 86400.0


@pytest.fixture
def desk(make_desk):
    return make_desk(alerting="retention: {incidents: 10d, alerts: 5d, audit: 20d}\n")


def first_break(desk):
    with reading(desk.store.engine) as connection:
        return audit.first_break(connection)


def trail(desk):
    with reading(desk.store.engine) as connection:
        return audit.newest(connection, 1000)[::-1]


def test_a_resolved_incident_goes_with_all_that_belonged_to_it(desk):
    desk.fire()
    desk.pass_time(20)
    desk.resolve()
    desk.pass_time(2)
    desk.clock.advance(9 * DAY)
    assert "incidents" not in desk.sweep()
    desk.clock.advance(2 * DAY)
    assert desk.sweep()["incidents"] == 1
    assert (desk.incidents(), desk.deliveries(), desk.actions()) == ([], [], [])


def test_an_open_incident_stays_however_old_it_is(desk):
    desk.fire()
    desk.pass_time(20)
    desk.clock.advance(300 * DAY)
    assert set(desk.sweep()) <= {"audit"}
    assert desk.incident()["status"] == "open"
    assert desk.deliveries() != []


def test_a_message_nobody_got_yet_keeps_its_incident(desk, slack):
    slack.is_down = True
    desk.fire()
    desk.deliver()
    desk.resolve()
    desk.clock.advance(11 * DAY)
    assert "incidents" not in desk.sweep()
    slack.is_down = False
    desk.deliver()
    desk.clock.advance(DAY)
    assert len(slack.headlines) >= 1
    assert desk.sweep()["incidents"] == 1


def test_label_sets_and_changes_that_tell_nothing_any_more_go(desk):
    for number in range(3):
        desk.fire("Blip", pod=str(number))
        desk.resolve("Blip", pod=str(number))
    desk.fire("Stays")
    desk.clock.advance(6 * DAY)
    found = desk.sweep()
    assert (found["alerts"], found["alert_changes"]) == (3, 6)
    desk.fire("Blip", pod="0")
    names = {alert["labels"]["alertname"] for alert in desk.incidents()[0]["alerts"]}
    assert names == {"Blip", "Stays"}


def test_a_backlog_is_swept_whole_though_in_small_steps(desk):
    for number in range(45):
        desk.fire("Blip", service=f"s{number}")
        desk.resolve("Blip", service=f"s{number}")
    desk.deliver()
    desk.clock.advance(11 * DAY)
    assert desk.sweep()["incidents"] == 45


def test_the_rest_of_a_pruned_audit_still_proves_itself(desk):
    desk.fire()
    desk.pass_time(20)
    before = trail(desk)
    desk.clock.advance(21 * DAY)
    assert desk.sweep()["audit"] == len(before)
    assert first_break(desk) is None
    [note] = trail(desk)
    assert (note["event"], note["detail"]["hash"]) == ("pruned", before[-1]["hash"])
    desk.switch_rule("restart", "off")
    desk.clock.advance(21 * DAY)
    desk.sweep()
    assert first_break(desk) is None


def test_an_anchor_nobody_wrote_down_is_a_break(desk):
    desk.fire()
    desk.pass_time(20)
    second = trail(desk)[1]
    with writing(desk.store.engine) as connection:
        connection.exec_driver_sql(
            f"INSERT INTO audit_anchors VALUES ({second['seq']}, '{second['hash']}')"
        )
        connection.exec_driver_sql(f"DELETE FROM audit WHERE seq <= {second['seq']}")
    assert "nobody wrote down" in first_break(desk).reason


def test_above_the_anchor_the_database_refuses_to_delete(desk):
    desk.fire()
    desk.pass_time(20)
    desk.clock.advance(21 * DAY)
    desk.sweep()
    with pytest.raises(StorageError, match="append-only"), writing(desk.store.engine) as connection:
        connection.exec_driver_sql("DELETE FROM audit")
