import http.client
import random
import string

import pytest

from tests.taskboard.conftest import call
from tests.waiting import wait_until

pytestmark = pytest.mark.live


def test_a_created_task_is_prepared_by_a_worker_and_known_to_the_partner(taskboard):
    task = taskboard.create("mend the poster")
    assert (task["state"], task["owner"], task["estimate_minutes"]) == ("open", "alpha", None)
    wait_until(lambda: taskboard.find(task["id"])["estimate_minutes"], what="its estimate")
    copied = wait_until(
        lambda: taskboard.find(task["id"], "beta").get("estimate_minutes"), what="the copy at beta"
    )
    assert copied == taskboard.find(task["id"])["estimate_minutes"]


def test_a_task_handed_over_is_accepted_by_the_partner_who_alone_can_complete_it(taskboard):
    task = taskboard.create("file the visa")
    status, handed = call("POST", taskboard.url("alpha", f"/tasks/{task['id']}/handover"))
    assert (status, handed["state"], handed["owner"]) == (200, "handed-over", "beta")

    status, answer = call("POST", taskboard.url("alpha", f"/tasks/{task['id']}/complete"))
    assert status == 409
    assert "not open at alpha" in answer["error"]

    def is_accepted():  # the copy that came before was open as well, at alpha
        copy = taskboard.find(task["id"], "beta")
        return (copy.get("state"), copy.get("owner")) == ("open", "beta")

    wait_until(is_accepted, what="accepted at beta")
    status, done = call("POST", taskboard.url("beta", f"/tasks/{task['id']}/complete"))
    assert (status, done["state"]) == (200, "done")
    wait_until(
        lambda: taskboard.find(task["id"]).get("state") == "done", what="the news back at alpha"
    )


def test_handing_over_is_measured_at_the_agent_that_accepts(taskboard):
    labels = {"source": "alpha", "target": "beta"}
    before = taskboard.sum_of("beta", "task_handoff_seconds_count", **labels)
    task = taskboard.create("send the report")
    call("POST", taskboard.url("alpha", f"/tasks/{task['id']}/handover"))
    wait_until(
        lambda: taskboard.sum_of("beta", "task_handoff_seconds_count", **labels) == before + 1,
        what="one more hand-over at beta",
    )
    assert ("task_sync_lag_seconds", (("service", "taskboard"), *sorted(labels.items()))) in (
        taskboard.metrics("beta")
    )


def test_search_finds_by_word_and_answers_from_the_cache_the_second_time(taskboard):
    word = "".join(random.choices(string.ascii_lowercase, k=12))
    task = taskboard.create(f"draft the {word}")
    url = taskboard.url("alpha", f"/search?q={word}")
    hits = taskboard.sum_of("alpha", "cache_requests_total", result="hit")
    misses = taskboard.sum_of("alpha", "cache_requests_total", result="miss")
    first, second = call("GET", url), call("GET", url)
    assert [found["id"] for found in first[1]["tasks"]] == [task["id"]]
    assert first == second
    assert taskboard.sum_of("alpha", "cache_requests_total", result="hit") == hits + 1
    assert taskboard.sum_of("alpha", "cache_requests_total", result="miss") == misses + 1


def test_the_board_counts_tasks_by_state(taskboard):
    taskboard.create("check the offer")
    status, board = call("GET", taskboard.url("alpha", "/board"))
    assert status == 200
    assert board["counts"]["open"] >= 1
    assert board["newest"][0]["state"] == "open"


NO_SUCH_TASK = "5d1c0a52-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/tasks", {"title": "  "}, 400, "title: expected 1 to 200 characters"),
        ("POST", "/tasks", {"title": "x" * 201}, 400, "title: expected 1 to 200 characters"),
        ("POST", "/tasks", {"title": 7}, 400, "title: expected 1 to 200 characters"),
        ("POST", "/tasks", ["no object"], 400, "expected a JSON object with a title"),
        ("GET", "/search", None, 400, "q: expected one or more words"),
        ("GET", f"/tasks/{NO_SUCH_TASK}", None, 404, "no task"),
        ("POST", f"/tasks/{NO_SUCH_TASK}/complete", None, 404, "no task"),
    ],
)
def test_what_cannot_be_done_is_told_plainly(taskboard, method, path, body, status, words):
    answered, answer = call(method, taskboard.url("alpha", path), body)
    assert answered == status
    assert words in answer["error"]


def test_requests_are_measured_by_route_template(taskboard):
    task = taskboard.create("call the visa")
    taskboard.find(task["id"])
    routes = {
        dict(labels)["http_route"]
        for name, labels in taskboard.metrics("alpha")
        if name == "http_server_request_duration_seconds_count"
    }
    assert {"/tasks", "/tasks/<uuid:task_id>"} <= routes
    assert not any(task["id"] in route for route in routes)
    assert not routes & {"/metrics", "/healthz", "/readyz"}


def test_a_thousand_random_urls_add_at_most_one_series_a_status(taskboard):
    call("GET", taskboard.url("alpha", "/nothing-here"))
    before = set(taskboard.metrics("alpha"))
    connection = http.client.HTTPConnection("127.0.0.1", taskboard.ports["alpha"])
    for _ in range(1000):
        path = "".join(random.choices(string.ascii_letters + "/", k=20))
        connection.request("GET", f"/r{path}")
        answer = connection.getresponse()
        answer.read()
        assert answer.status in {301, 308, 404}
    connection.close()
    added = {
        dict(labels)["http_response_status_code"]
        for name, labels in set(taskboard.metrics("alpha")) - before
        if name == "http_server_request_duration_seconds_count"
    }
    assert added <= {"301", "308"}
    assert (
        taskboard.sum_of(
            "alpha", "http_server_request_duration_seconds_count", http_route="unmatched"
        )
        >= 1001
    )


def test_database_calls_and_the_pool_are_measured(taskboard):
    taskboard.create("order the delivery")
    samples = taskboard.metrics("alpha")
    operations = {
        dict(labels)["db_operation_name"]
        for name, labels in samples
        if name == "db_client_operation_duration_seconds_count"
    }
    assert "create task" in operations
    pool = (("db_client_connection_pool_name", "alpha-web"), ("service", "taskboard"))
    assert samples["db_client_connection_max", pool] == 8
    assert samples["db_client_connection_wait_time_seconds_count", pool] >= 1


def test_the_process_says_what_memory_it_may_use(taskboard):
    samples = taskboard.metrics("alpha")
    assert samples["process_memory_limit_bytes", ()] == 256 * 1024 * 1024
    assert 0 < samples["process_resident_memory_bytes", ()] < 256 * 1024 * 1024


def test_statements_are_visible_to_the_role_an_agent_uses(taskboard):
    taskboard.create("review the minutes")
    seen = taskboard.query("SELECT query FROM pg_stat_statements WHERE query LIKE '%INTO tasks%'")
    assert seen
    assert not any("<insufficient privilege>" in query for (query,) in seen)
