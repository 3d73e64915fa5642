"""Rules that tell people: through the outbox, once, within limits of their own."""

from __future__ import annotations

import pytest

from alerting.files_together import problems_in
from alerting.kill_switch import Kind, Scope
from alerting.remediation_rules import RuleSettings
from tests.alerting.desk import ALERTING, RULES
from watchkeeper.configuration import load
from watchkeeper.errors import ConfigError

TELLING = """rules:
  - name: dba
    match: ['alertname="DatabaseSlowdown"']
    action: ACTION
    tell: [boss]
    mode: MODE
    MORE
"""


@pytest.fixture
def telling(make_desk):
    """A desk with one rule that tells ``boss``, to whom no route leads."""

    def make(action="notify-dba", mode="auto", more="cooldown: 10m"):
        rule = TELLING.replace("ACTION", action).replace("MODE", mode).replace("MORE", more)
        desk = make_desk(rules={"rules:\n": rule})
        desk.add_receiver("boss")
        return desk

    return make


def heard(desk, receiver="boss"):
    return [one["event"] for one in desk.deliveries() if one["receiver"] == receiver]


@pytest.mark.parametrize("action", ["notify-team", "notify-dba", "create-incident"])
def test_who_is_told_hears_of_the_incident_from_its_opening_to_its_end(telling, action):
    desk = telling(action)
    desk.fire("DatabaseSlowdown")
    desk.act()
    desk.clock.advance(5)
    desk.resolve("DatabaseSlowdown")
    assert heard(desk) == ["opened", "resolved"]
    assert desk.actions()[0]["state"] == "succeeded"
    assert f"action-completed: {action} about DatabaseSlowdown: told boss" in desk.story()


def test_who_hears_of_it_anyway_is_not_told_twice(telling):
    desk = telling()
    desk.rules_file.write_text(desk.rules_file.read_text().replace("[boss]", "[slack, boss]"))
    desk.configuration.reload_if_changed()
    desk.fire("DatabaseSlowdown")
    desk.act()
    assert heard(desk, "slack") == ["opened"]
    assert heard(desk, "boss") == ["opened"]


def test_a_page_goes_to_who_knows_too(telling):
    desk = telling("page-on-call")
    desk.rules_file.write_text(desk.rules_file.read_text().replace("[boss]", "[slack]"))
    desk.configuration.reload_if_changed()
    desk.fire("DatabaseSlowdown")
    desk.act()
    assert heard(desk, "slack") == ["opened", "escalated"]


def test_nobody_is_paged_for_what_somebody_has_taken(telling):
    desk = telling("page-on-call", mode="approve")
    desk.fire("DatabaseSlowdown")
    desk.acknowledge(by="ana")
    desk.approve()
    desk.act()
    assert heard(desk) == []
    assert "ana has taken it: nobody was paged" in desk.story()


def test_in_observe_mode_it_says_who_would_have_been_told_and_tells_nobody(telling):
    desk = telling(mode="observe")
    desk.fire("DatabaseSlowdown")
    desk.act()
    [action] = desk.actions()
    assert (action["state"], heard(desk)) == ("observed", [])
    assert action["body"] == '{"event": "opened", "receivers": ["boss"]}'


def test_it_waits_for_a_person_where_the_rule_says_so(telling):
    desk = telling(mode="approve")
    desk.fire("DatabaseSlowdown")
    desk.act()
    assert heard(desk) == []
    desk.approve()
    desk.act()
    assert heard(desk) == ["opened"]


def again(desk, seconds):
    desk.resolve("DatabaseSlowdown")
    desk.clock.advance(seconds)
    desk.fire("DatabaseSlowdown")
    desk.act()


def test_the_cooldown_holds_across_incidents_and_a_restart(telling):
    desk = telling()
    desk.fire("DatabaseSlowdown")
    desk.act()
    desk.clock.advance(5)
    desk.close()
    desk.open()
    again(desk, 60)
    assert heard(desk).count("opened") == 1
    assert "it was told less than 600 s ago" in "\n".join(
        entry["text"] for entry in desk.incidents()[0]["timeline"]
    )
    desk.clock.advance(600)
    desk.act()
    assert heard(desk).count("opened") == 2


def test_a_budget_that_is_used_up_is_told_in_the_story_and_pages_nobody(telling):
    desk = telling(more="cooldown: 0s\n    budget: {actions: 1, window: 1h}")
    desk.fire("DatabaseSlowdown")
    desk.act()
    again(desk, 60)
    assert heard(desk).count("opened") == 1
    assert desk.actions()[-1]["denied_by"] == ["rule_budget"]
    assert "escalated" not in heard(desk, "slack")


def test_messages_take_nothing_from_fixes_and_fixes_nothing_from_messages(telling, endpoint):
    desk = telling(more='cooldown: 0s\n    target: "{{ labels.process }}"')
    text = "budget: {actions: 1, window: 1h}\n" + desk.rules_file.read_text()
    desk.rules_file.write_text(text)
    desk.configuration.reload_if_changed()
    desk.fire("DatabaseSlowdown")  # about the worker, too
    desk.act()
    desk.fire("WorkerDead")
    desk.pass_time(10)
    assert len(endpoint.effects) == 1
    desk.resolve("WorkerDead")
    again(desk, 1)
    assert heard(desk).count("opened") == 2


def test_pausing_everything_silences_nobody_and_pausing_the_rule_does(telling):
    desk = telling()
    desk.pause()
    desk.pause(Scope(Kind.TARGET, "DatabaseSlowdown"))
    desk.fire("DatabaseSlowdown")
    desk.act()
    assert heard(desk) == ["opened"]
    desk.pause(Scope(Kind.RULE, "dba"))
    again(desk, 700)
    assert heard(desk).count("opened") == 1
    assert "rule dba is paused: drill" in desk.actions()[-1]["summary"]


def test_a_silenced_alert_tells_nobody(telling):
    desk = telling()
    desk.silence("alertname=DatabaseSlowdown")
    desk.fire("DatabaseSlowdown")
    desk.act()
    assert heard(desk) == []


def test_a_receiver_that_cannot_be_used_is_a_failure_that_those_who_know_hear_of(telling):
    desk = telling()
    desk.rules_file.write_text(desk.rules_file.read_text().replace("[boss]", "[nobody]"))
    desk.configuration.reload_if_changed()
    desk.fire("DatabaseSlowdown")
    desk.act()
    assert desk.actions()[0]["state"] == "failed"
    assert "none of its receivers can be used: nobody" in desk.story()
    assert heard(desk, "slack") == ["opened", "escalated"]


def test_it_is_not_taken_for_what_fixed_an_incident(telling):
    desk = telling()
    desk.fire("DatabaseSlowdown")
    desk.act()
    desk.clock.advance(5)
    again(desk, 5)
    assert [one["fixed_by"] for one in desk.similar()] == [[]]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"tell": []}, "tell: missing: notify-dba needs it"),
        ({"endpoint": "local"}, "endpoint: notify-dba has no endpoint"),
        ({"parameters": {"by": 1}}, "parameters: notify-dba has no parameters"),
        ({"escalate_to": ["boss"]}, "escalate_to: notify-dba has no escalate_to"),
        ({"action": "restart-service"}, "tell: restart-service has no tell"),
        ({"action": "restart-service", "tell": []}, "target: missing"),
        ({"action": "restart-service", "tell": [], "target": "x"}, "endpoint: missing"),
    ],
)
def test_a_rule_of_both_kinds_is_a_mistake_in_the_file(tmp_path, changes, problem):
    rule = {"name": "r", "match": ["a=b"], "action": "notify-dba", "tell": ["boss"], **changes}
    lines = "\n".join(f"{key}: {value!r}" for key, value in rule.items())
    (tmp_path / "rule.yml").write_text(lines)
    with pytest.raises(ConfigError) as found:
        load(tmp_path / "rule.yml", RuleSettings)
    assert problem in str(found.value)


def test_a_receiver_that_does_not_exist_is_named_by_check(tmp_path):
    rules = RULES.replace("URL", "http://127.0.0.1:1").replace("DEDUPLICATES", "true")
    telling = TELLING.replace("ACTION", "notify-dba").replace("MODE", "auto").replace("MORE", "")
    (tmp_path / "remediation.yml").write_text(rules.replace("rules:\n", telling))
    (tmp_path / "alerting.yml").write_text(ALERTING)
    [problem] = problems_in(tmp_path)
    assert problem.key == "rules[0].tell"
