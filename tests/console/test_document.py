"""docs/console.md tells of the console as it is."""

import re
from pathlib import Path

from dashboards.boards import every_board
from dashboards.console.settings import ConsoleSettings

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "console.md").read_text(encoding="utf-8")


def test_every_board_and_its_question_is_listed_and_no_other():
    listed = re.findall(r"^\| (.+) \| (.+\?) \|$", PAGE, re.MULTILINE)
    assert listed == [(board.title, board.purpose) for board in every_board()]


def test_every_page_that_is_listed_is_there_and_in_the_navigation(neighbourhood):
    listed = re.findall(r"^\| [A-Za-z ]+ \| `(/[^`]*)` \|", PAGE, re.MULTILINE)
    first = neighbourhood.get("/").text
    for path in listed:
        if "ID" not in path:
            assert neighbourhood.get(path).status_code in (200, 502), path
            assert f'href="{path}"' in first


def test_every_picture_is_there():
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", PAGE):
        assert (DOCS / picture).is_file()


def test_every_panel_that_may_be_empty_is_listed_with_what_fills_it():
    may_be_empty = {
        (f"{board.title} / {panel.title}", panel.silence.until, panel.silence.filled_by)
        for board in every_board()
        for panel in board.panels()
        if panel.silence
    }
    rows = re.findall(r"^\| ([A-Za-z ]+) / (.+) \| (.+) \| `?(.+?)`? \|$", PAGE, re.MULTILINE)
    listed = {
        (f"{board} / {panel}", until, filled_by)
        for board, panels, until, filled_by in rows
        for panel in panels.split(", ")
    }
    assert listed == may_be_empty


def test_the_key_of_the_report_is_a_setting():
    assert "`report:`" in PAGE
    assert "report" in ConsoleSettings.model_fields
