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


def test_panels_filled_by_a_fault_are_quiet_ones():
    quiet = {
        f"{board.title} / {panel.title}"
        for board in every_board()
        for panel in board.panels()
        if panel.is_quiet
    }
    for row in re.findall(r"^\| ([A-Z][A-Za-z ]+ / .+) \| `", PAGE, re.MULTILINE):
        board, _, panels = row.partition(" / ")
        assert {f"{board} / {panel}" for panel in panels.split(", ")} <= quiet


def test_the_key_of_the_report_is_a_setting():
    assert "`report:`" in PAGE
    assert "report" in ConsoleSettings.model_fields
