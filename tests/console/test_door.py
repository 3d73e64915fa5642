"""Where a token is asked for, a browser shows it once; nothing else gets in."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.console import sessions
from dashboards.console.door import safe_path
from tests.console.conftest import NOW
from tests.console.incident_data import incident
from watchkeeper import addresses, tokens
from watchkeeper.roles import Role

TOKEN = "correct horse battery staple"
OWN = {"Origin": "http://localhost"}


@pytest.fixture
def token(monkeypatch, tmp_path):
    """Asks for a token; must come before the neighbourhood it guards."""
    file = tmp_path / "api-token"
    file.write_text(TOKEN, encoding="utf-8")
    monkeypatch.setenv("WATCHKEEPER_API_TOKEN_FILE", str(file))
    return TOKEN


@pytest.fixture
def client(token, neighbourhood):
    neighbourhood.room.watch.ask_all()
    return neighbourhood.service.app.test_client()


def log_in(client, **form):
    return client.post("/login", data={"token": TOKEN, **form}, headers=OWN)


@pytest.mark.parametrize("path", ["/", "/incidents/i-1?x=1", "/dashboards"])
def test_a_stranger_is_shown_the_login_page_and_comes_back_to_where_they_wanted(client, path):
    away = client.get(path, headers={"Accept": "text/html"})
    assert away.status_code == 303
    page = client.get(away.headers["Location"]).text
    assert f'name="next" value="{path}"' in page
    assert log_in(client, next=path).headers["Location"] == path
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/api/series/s1", "/metrics", "/events", "/now"])
def test_a_stranger_gets_no_data(client, path):
    assert client.get(path, headers={"Accept": "application/json"}).status_code == 401


def test_the_token_in_the_header_still_opens_everything(client):
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/metrics", headers=bearer).status_code == 200


@pytest.mark.parametrize("wrong", ["", "wrong", TOKEN.upper(), TOKEN[:-1], "tökén"])
def test_a_wrong_token_opens_nothing(client, wrong):
    answer = client.post("/login", data={"token": wrong}, headers=OWN)
    assert answer.status_code == 401
    assert "That is not the token." in answer.text
    assert "Set-Cookie" not in answer.headers


def test_the_cookie_cannot_be_read_by_scripts_sent_across_sites_or_tell_the_token(client):
    cookie = log_in(client).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert TOKEN not in cookie


def test_logging_out_ends_it(client):
    log_in(client)
    client.post("/logout", headers=OWN)
    assert client.get("/").status_code == 401


def test_a_session_ends_after_a_shift(client, neighbourhood):
    log_in(client)
    neighbourhood.room.clock.advance(sessions.LIFETIME.total_seconds() + 1)
    assert client.get("/").status_code == 401


def test_an_open_page_whose_session_ended_is_sent_to_the_login_as_a_whole(client):
    answer = client.get("/now", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://localhost:1"])
def test_a_page_of_another_origin_can_change_nothing(client, origin):
    log_in(client)
    headers = {} if origin is None else {"Origin": origin}
    for path in ("/logout", "/login"):
        answer = client.post(path, data={"token": TOKEN}, headers=headers)
        assert answer.status_code == 403
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/\t/evil", ""],
)
def test_logging_in_leads_nowhere_else(client, elsewhere):
    assert log_in(client, next=elsewhere).headers["Location"] == "/"


@given(st.text())
def test_a_path_kept_for_later_always_stays_on_the_console(path):
    kept = safe_path(path)
    assert kept.startswith("/")
    assert not kept.startswith("//")
    assert urlsplit(kept).netloc == ""


@given(st.text(), st.datetimes(min_value=datetime(2001, 1, 1)))  # noqa: DTZ001  # made aware below
def test_no_session_can_be_made_up(text, moment):
    session = sessions.read(text)
    assert session is None or not sessions.is_valid(session, TOKEN, now=moment.replace(tzinfo=UTC))


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: "YW5h" + s, lambda s: s + "0"])
def test_a_session_that_was_changed_does_not_hold(change):
    text = sessions.issue("", TOKEN, now=NOW)
    assert sessions.is_valid(sessions.read(text), TOKEN, now=NOW)
    assert not sessions.is_valid(sessions.read(change(text)), TOKEN, now=NOW)


def test_a_session_of_one_name_is_none_of_another():
    whole = sessions.issue("ana", TOKEN, now=NOW).split(".")
    other = sessions.issue("bob", TOKEN, now=NOW).split(".")
    assert not sessions.is_valid(sessions.read(".".join([other[0], *whole[1:]])), TOKEN, now=NOW)


def test_a_new_token_ends_every_session():
    session = sessions.read(sessions.issue("", TOKEN, now=NOW))
    assert not sessions.is_valid(session, "another token", now=NOW)
    assert not sessions.is_valid(session, TOKEN, now=NOW + sessions.LIFETIME + timedelta(seconds=1))


@pytest.fixture
def people(monkeypatch, tmp_path):
    """Tokens of a viewer and an operator; must come before the neighbourhood that knows them."""
    file = tmp_path / "people.json"
    monkeypatch.setenv(addresses.NAMED_TOKENS_VARIABLE, str(file))
    return {
        name: tokens.add(file, name, role, now=NOW)
        for name, role in (("vera", Role.VIEWER), ("otto", Role.OPERATOR))
    } | {"file": file}


def enter_as(client, token):
    return client.post("/login", data={"token": token}, headers=OWN)


PAUSE = {"wanted": "pause", "reason": "testing", "by": "somebody else"}


def test_a_viewer_sees_everything_and_does_nothing(people, client, neighbourhood):
    enter_as(client, people["vera"])
    assert client.get("/").status_code == 200
    refused = client.post("/actions-switch", data=PAUSE, headers=OWN)
    assert refused.status_code == 403
    assert "vera is viewer; this needs operator" in refused.text
    assert neighbourhood.alerting.posted == []


def test_what_an_operator_does_stands_under_their_own_name(people, client, neighbourhood):
    neighbourhood.alerting.answers["/api/v1/pause"] = {"paused": True}
    enter_as(client, people["otto"])
    client.post("/actions-switch", data=PAUSE, headers=OWN)
    told = {"reason": "testing", "by": "otto", "by_is": "session"}
    assert neighbourhood.alerting.posted == [("/api/v1/pause", told)]


def test_an_operator_does_not_change_what_the_stack_does_by_itself(people, client, neighbourhood):
    enter_as(client, people["otto"])
    answer = client.post("/rules/restart/mode", data={"mode": "auto"}, headers=OWN)
    assert answer.status_code == 403
    assert neighbourhood.alerting.posted == []


def test_a_token_taken_away_ends_its_sessions_and_no_others(people, token, client, neighbourhood):
    enter_as(client, people["otto"])
    tokens.remove(people["file"], "otto")
    assert client.get("/").status_code == 401
    enter_as(client, token)
    assert client.get("/").status_code == 200


def test_without_a_token_there_is_no_login(neighbourhood):
    neighbourhood.incidents.append(incident())
    assert neighbourhood.get("/login").status_code == 303
    assert "Log out" not in neighbourhood.get("/").text
