"""What must hold of every dashboard, whoever draws it."""

import pytest

from dashboards.boards import BOARDS, board, every_board
from dashboards.console import runbook
from dashboards.console.drawing import KINDS
from dashboards.expression import uncatalogued, variables
from dashboards.grafana import PANELS
from dashboards.objectives import BURN_WINDOWS, WINDOWS
from dashboards.spec import Table, Unit
from watchkeeper.catalogue import every_metric

BASE_UNITS = {Unit.SECONDS: "seconds", Unit.BYTES: "bytes"}
each_board = pytest.mark.parametrize("uid", BOARDS)


@each_board
def test_a_board_has_the_uid_it_is_listed_under(uid):
    assert board(uid).uid == uid


@each_board
def test_every_metric_a_board_uses_is_in_the_catalogue(uid):
    catalogue = every_metric()
    for panel in board(uid).panels():
        for query in panel.queries:
            assert uncatalogued(query.expression, catalogue) == set(), panel.title


@each_board
def test_every_panel_says_what_to_look_for(uid):
    for panel in board(uid).panels():
        assert len(panel.description.split()) >= 5, panel.title
        assert panel.description.endswith((".", "?")), panel.title


@each_board
def test_every_board_says_which_question_it_answers(uid):
    assert board(uid).purpose.endswith("?")


@each_board
def test_every_link_leads_to_a_board(uid):
    linked = set(board(uid).see_also)
    linked |= {link.dashboard for panel in board(uid).panels() for link in panel.links}
    assert linked <= set(BOARDS)
    assert uid not in linked


@each_board
def test_variables_are_labels_their_metric_may_carry(uid):
    # service, job and instance come from the scrape, not from the metric
    for variable in board(uid).variables:
        assert variable.label in {
            *variable.metric.labels,
            "environment",
            "service",
            "job",
            "instance",
        }


@each_board
def test_every_runbook_a_panel_leads_to_is_there(uid):
    named = {panel.runbook for panel in board(uid).panels()} - {None}
    assert {name for name in named if runbook.find(name) is None} == set()


@each_board
def test_choices_cascade_from_the_first_to_the_last(uid):
    before = set()
    for variable in board(uid).variables:
        assert variables(variable.within) <= before, variable.name
        before.add(variable.name)


def test_the_set_of_boards_is_complete():
    assert {b.title for b in every_board()} >= {
        "System Overview", "Host", "Containers", "Database Performance", "Cache",
        "Task Integration",
        "HTTP Services", "Python Processes", "Anomalies", "Incidents and Remediation",
        "Service Levels", "Watchkeeper Itself",
    }  # fmt: skip


def test_every_kind_of_panel_is_drawn_by_the_console_and_by_grafana():
    kinds = {type(panel) for b in every_board() for panel in b.panels()}
    assert kinds == set(KINDS) == set(PANELS)


@each_board
def test_tables_are_sorted_by_a_column_they_have(uid):
    for panel in board(uid).panels():
        if isinstance(panel, Table):
            assert panel.sort_by in {column.title for column in panel.columns}


def test_the_requirements_widgets_are_there():
    panels = {b.title: {panel.title: panel for panel in b.panels()} for b in every_board()}
    response_time = panels["System Overview"]["Response time"]
    assert {"Throughput", "CPU", "Memory", "Error rate", "Saturation"} <= set(
        panels["System Overview"]
    )
    assert [step.at for step in response_time.thresholds.steps] == [0.5, 1, 2]
    assert {"Query time", "Connections", "Cache hits", "Deadlocks"} <= set(
        panels["Database Performance"]
    )
    slow = panels["Database Performance"]["Slow queries"]
    assert [column.title for column in slow.columns] == ["Query", "Time", "Count"]
    assert "topk(10," in slow.queries[0].expression
    assert {"Creation rate", "Handoff duration", "Sync lag", "Queue wait", "Oldest task"} <= set(
        panels["Task Integration"]
    )


def test_every_window_of_a_burn_rate_is_recorded():
    assert {window for pair in BURN_WINDOWS for window in (pair.long, pair.short)} == set(WINDOWS)
