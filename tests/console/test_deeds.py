"""What people do about an incident: each button is one call to alerting, under a name."""

import pytest

from dashboards.console.deeds import DEEDS
from tests.console.incident_data import at, incident, resolved, series, with_points
from tests.console.test_first_page import text_of

LOCAL = {"Origin": "http://localhost"}
FILLED = {"by": "Ada", "text": "the pool was too small", "duration": "2h"}
BODIES = {
    "acknowledge": {"by": "Ada", "text": FILLED["text"]},
    "owner": {"by": "Ada", "owner": FILLED["text"]},
    "notes": {"by": "Ada", "text": FILLED["text"]},
    "silence": {"by": "Ada", "text": FILLED["text"], "duration": "2h"},
    "not-a-problem": {"by": "Ada", "text": FILLED["text"]},
}


@pytest.fixture
def browser(neighbourhood):
    """A browser on this machine that looks at the open incident i-1."""
    neighbourhood.alerting.answers["/api/v1/incidents/i-1"] = incident()
    for path in BODIES:
        neighbourhood.alerting.answers[f"/api/v1/incidents/i-1/{path}"] = incident()
    neighbourhood.alerting.answers["/api/v1/actions"] = {"actions": [waiting()]}
    neighbourhood.room.watch.ask_all()
    return neighbourhood.service.app.test_client()


def waiting(**changes):
    return {
        "idempotency_key": "k-1", "incident_id": "i-1", "action": "restart-service",
        "target": "taskboard-worker", "rule": "restart", "mode": "approve", "state": "proposed",
        "created_at": at(-30),
    } | changes  # fmt: skip


@pytest.mark.parametrize("deed", DEEDS)
def test_each_button_of_the_page_tells_alerting_who_did_what(browser, neighbourhood, deed):
    assert f'action="/incidents/i-1/{deed}"' in browser.get("/incidents/i-1").text
    answer = browser.post(f"/incidents/i-1/{deed}", data=FILLED, headers=LOCAL)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/incidents/i-1")
    assert neighbourhood.alerting.posted == [(f"/api/v1/incidents/i-1/{deed}", BODIES[deed])]


@pytest.mark.parametrize("deed", DEEDS)
def test_nothing_is_done_in_nobodys_name(browser, neighbourhood, deed):
    answer = browser.post(f"/incidents/i-1/{deed}", data={**FILLED, "by": " "}, headers=LOCAL)
    assert answer.status_code == 400
    assert "Say who you are" in answer.text
    assert neighbourhood.alerting.posted == []


@pytest.mark.parametrize(
    "address",
    ["/incidents/i-1/actions/k-1/approve", "/incidents/i-1/actions/k-1/decline",
     "/deliveries/replay"],
)  # fmt: skip
def test_nothing_is_released_or_sent_again_in_nobodys_name(browser, neighbourhood, address):
    neighbourhood.alerting.answers["/api/v1/deliveries"] = {"deliveries": []}
    answer = browser.post(address, data={"by": " ", "delivery": "d-1"}, headers=LOCAL)
    assert answer.status_code == 400
    assert "Say who you are" in answer.text
    assert neighbourhood.alerting.posted == []


@pytest.mark.parametrize(
    ("deed", "lacking"), [("notes", "text"), ("owner", "text"), ("silence", "duration")]
)
def test_what_a_deed_needs_is_asked_for(browser, neighbourhood, deed, lacking):
    form = {name: value for name, value in FILLED.items() if name != lacking}
    answer = browser.post(f"/incidents/i-1/{deed}", data=form, headers=LOCAL)
    assert answer.status_code == 400
    assert neighbourhood.alerting.posted == []


@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_a_waiting_action_is_released_or_refused_from_the_page(browser, neighbourhood, decision):
    address = f"/incidents/i-1/actions/k-1/{decision}"
    assert f'formaction="{address}"' in browser.get("/incidents/i-1").text
    neighbourhood.alerting.answers[f"/api/v1/actions/k-1/{decision}"] = {}
    browser.post(address, data={"by": "Ada"}, headers=LOCAL)
    assert neighbourhood.alerting.posted == [(f"/api/v1/actions/k-1/{decision}", {"by": "Ada"})]


def test_only_what_waits_about_this_incident_is_offered(browser, neighbourhood):
    neighbourhood.alerting.answers["/api/v1/actions"] = {
        "actions": [waiting(incident_id="i-2"), waiting(state="succeeded")]
    }
    assert "Waiting for your word" not in browser.get("/incidents/i-1").text


def test_that_nobody_can_tell_what_waits_is_said(browser, neighbourhood):
    neighbourhood.alerting.answers["/api/v1/actions"] = {"actions": [waiting(state=None)]}
    page = browser.get("/incidents/i-1").text
    assert "Whether an action waits for your word cannot be told." in page
    assert "alerting answered something unexpected at 0.state" in page


def test_the_name_is_written_once(browser):
    browser.post("/incidents/i-1/notes", data=FILLED, headers=LOCAL)
    assert (
        'name="by" maxlength="100" required autocomplete="username" value="Ada"'
        in browser.get("/incidents/i-1").text
    )


def test_what_alerting_refuses_is_told_in_its_own_words(browser, neighbourhood):
    path = "/api/v1/incidents/i-1/acknowledge"
    neighbourhood.alerting.answers[path] = {"error": {"message": "it is over already"}}
    neighbourhood.alerting.statuses[path] = 409
    answer = browser.post("/incidents/i-1/acknowledge", data=FILLED, headers=LOCAL)
    assert answer.status_code == 409
    assert "it is over already" in answer.text


def test_an_unknown_deed_is_none(browser):
    assert browser.post("/incidents/i-1/explode", data=FILLED, headers=LOCAL).status_code == 404


def test_a_page_of_another_origin_can_do_nothing(browser, neighbourhood):
    evil = {"Origin": "http://evil.example"}
    assert browser.post("/incidents/i-1/notes", data=FILLED, headers=evil).status_code == 403
    assert neighbourhood.alerting.posted == []


def test_what_is_over_is_not_acknowledged_or_silenced_any_more(neighbourhood):
    neighbourhood.incidents.append(resolved())
    page = neighbourhood.get("/incidents/i-0").text
    assert 'action="/incidents/i-0/notes"' in page
    assert 'action="/incidents/i-0/acknowledge"' not in page
    assert 'action="/incidents/i-0/silence"' not in page


def test_who_has_it_and_what_helped_last_time_stand_on_the_page(browser, neighbourhood):
    precedent = {
        "id": "i-9", "title": "Worker died", "started_at": at(-90000), "resolved_at": at(-89000),
        "similarity_ratio": 0.8, "fixed_by": ["restart-service on taskboard-worker"],
        "notes": ["ana: ran out of memory"],
    }  # fmt: skip
    neighbourhood.alerting.answers["/api/v1/incidents/i-1"] = incident(
        acknowledged_by="Ada", acknowledged_at=at(-100), owner="Bo", similar=[precedent]
    )
    text = text_of(browser.get("/incidents/i-1"))
    assert "Acknowledged by Ada" in text
    assert "Looked after by Bo" in text
    assert "80 % alike Fixed by restart-service on taskboard-worker" in text
    assert "ran out of memory" in text


@pytest.fixture
def rules(neighbourhood):
    neighbourhood.alerting.answers["/api/v1/rules"] = {
        "rules": [
            {"name": "restart", "mode": "observe", "configured_mode": "observe",
             "match": ['alertname="TaskQueueStalled"'], "action": "restart-service",
             "target": "worker", "is_verified": True, "attempts": 2, "cooldown_seconds": 60,
             "budget": {"actions": 5, "window_seconds": 3600}},
            {"name": "unchecked", "mode": "observe", "match": [], "is_verified": False},
        ]
    }  # fmt: skip
    neighbourhood.alerting.answers["/api/v1/rules/restart/mode"] = {}
    return neighbourhood.service.app.test_client()


def test_a_rules_mode_is_switched_after_a_question_with_a_name_and_a_reason(rules, neighbourhood):
    assert 'href="/rules/restart/mode"' in rules.get("/rules").text
    assert "It acts by itself" in rules.get("/rules/restart/mode").text
    form = {"mode": "auto", "by": "Ada", "reason": "watched it for a week"}
    answer = rules.post("/rules/restart/mode", data=form, headers=LOCAL)
    assert answer.headers["Location"] == "/rules"
    assert neighbourhood.alerting.posted == [("/api/v1/rules/restart/mode", form)]


@pytest.mark.parametrize("lacking", ["mode", "by", "reason"])
def test_a_mode_is_not_switched_without_saying_everything(rules, neighbourhood, lacking):
    form = {"mode": "auto", "by": "Ada", "reason": "why not"} | {lacking: ""}
    assert rules.post("/rules/restart/mode", data=form, headers=LOCAL).status_code == 400
    assert neighbourhood.alerting.posted == []


def test_a_rule_that_checks_nothing_is_not_offered_to_act(rules):
    page = rules.get("/rules/unchecked/mode").text
    assert 'value="off"' in page
    assert 'value="auto"' not in page


def test_a_rule_says_what_its_budget_still_allows(rules, neighbourhood):
    taken = {"action": "a", "state": "succeeded", "rule": "restart"}
    neighbourhood.alerting.answers["/api/v1/actions"] = {
        "actions": [
            {**taken, "claimed_at": at(-60)},
            {**taken, "claimed_at": at(-3000)},
            {**taken, "claimed_at": at(-4000)},
            {**taken, "claimed_at": None, "state": "denied"},
            {**taken, "claimed_at": at(-60), "rule": "another"},
        ]
    }
    assert "5 in 1 h 3 left" in text_of(rules.get("/rules"))


def test_a_rule_says_how_often_it_fired_last_week(rules, neighbourhood):
    neighbourhood.prometheus.rules = [{"name": "Fires", "query": "a > 1", "health": "ok"}]
    begin = neighbourhood.room.clock.now().timestamp() - 86_400
    points = [(begin + 300 * step, samples) for step, samples in ((0, 59), (1, 60), (20, 1))]
    neighbourhood.prometheus.ranges = [({"alertname": "Fires"}, points)]
    assert "2 × for 10 min in all" in text_of(rules.get("/rules"))


def test_a_rule_says_when_it_last_acted(rules, neighbourhood):
    taken = {"action": "a", "state": "succeeded", "rule": "restart"}
    page = text_of(rules.get("/rules"))
    assert "2026-03-04 05:05:07 UTC" not in page
    neighbourhood.alerting.answers["/api/v1/actions"] = {
        "actions": [{**taken, "claimed_at": at(-60)}, {**taken, "claimed_at": at(-3000)}]
    }
    assert "2026-03-04 05:05:07 UTC" in text_of(rules.get("/rules"))


def test_an_anomaly_query_says_when_it_last_found_something(neighbourhood):
    neighbourhood.anomaly.answers["/api/v1/queries"] = {
        "queries": [{"name": "response time", "expression": "a", "state": "ready"}]
    }
    last = neighbourhood.room.clock.now().timestamp() - 600
    neighbourhood.prometheus.ranges = [({"query": "response time"}, [(last - 3000, 1), (last, 2)])]
    assert "2 ×, last 2026-03-04 04:56:07 UTC" in text_of(neighbourhood.get("/rules"))


def test_a_dead_letter_is_sent_again_alone_or_with_all_others(neighbourhood):
    dead = {"id": "d-1", "receiver": "slack", "state": "dead", "created_at": at(-99)}
    alerting = neighbourhood.alerting
    alerting.answers["/api/v1/deliveries"] = {"deliveries": [dead]}
    alerting.answers["/api/v1/deliveries/d-1/replay"] = {}
    alerting.answers["/api/v1/deliveries/replay"] = {"replayed": ["d-1", "d-2"]}
    browser = neighbourhood.service.app.test_client()
    assert "1 given up on: send again" in browser.get("/deliveries").text
    one = {"by": "Ada", "delivery": "d-1"}
    browser.post("/deliveries/replay", data=one, headers=LOCAL)
    told = browser.post(
        "/deliveries/replay", data={"by": "Ada"}, headers=LOCAL, follow_redirects=True
    )
    assert alerting.posted == [
        ("/api/v1/deliveries/d-1/replay", {"by": "Ada"}),
        ("/api/v1/deliveries/replay", {"by": "Ada"}),
    ]
    assert "2 messages are being sent again." in told.text


@pytest.fixture
def watched(neighbourhood):
    """A browser on this machine that looks at the series s1."""
    neighbourhood.anomaly.answers["/api/v1/series/s1"] = with_points(series())
    neighbourhood.anomaly.answers["/api/v1/feedback"] = {
        "feedback": [
            {"id": "w-1", "kind": "maintenance", "query": "response time", "by": "Bo",
             "labels": {"service": "taskboard"}, "reason": "moving it", "holds": True},
            {"id": "w-2", "kind": "accept", "query": "another", "holds": True, "by": "Eve"},
            {"id": "w-3", "kind": "accept", "query": "response time", "holds": False, "by": "Mia"},
        ]
    }  # fmt: skip
    neighbourhood.anomaly.answers["/api/v1/feedback/w-1/undo"] = {}
    return neighbourhood.service.app.test_client()


def test_a_series_is_called_a_new_normal_by_name_and_with_a_reason(watched, neighbourhood):
    form = {"kind": "accept", "by": "Ada", "reason": "twice the users"}
    answer = watched.post("/series/s1", data=form, headers=LOCAL)
    assert answer.headers["Location"] == "/series/s1"
    assert neighbourhood.anomaly.posted == [("/api/v1/feedback", {**form, "series": "s1"})]


@pytest.mark.parametrize("lacking", ["kind", "by", "reason"])
def test_nothing_is_said_of_a_series_without_saying_everything(watched, neighbourhood, lacking):
    form = {"kind": "accept", "by": "Ada", "reason": "why not"} | {lacking: ""}
    assert watched.post("/series/s1", data=form, headers=LOCAL).status_code == 400
    assert neighbourhood.anomaly.posted == []


def test_what_holds_of_a_series_is_shown_and_can_be_taken_back(watched, neighbourhood):
    text = text_of(watched.get("/series/s1"))
    assert "maintenance , by Bo: moving it" in text
    assert "Eve" not in text
    assert "Mia" not in text
    watched.post("/series/s1", data={"undo": "w-1", "by": "Ada"}, headers=LOCAL)
    assert neighbourhood.anomaly.posted == [("/api/v1/feedback/w-1/undo", {"by": "Ada"})]
