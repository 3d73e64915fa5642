"""Every runbook we ship can be read in the console."""

import pytest

from dashboards.console import runbook

SHIPPED = sorted(path.stem for path in runbook.DIRECTORY.glob("*.md"))


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_of_a_runbook_is_lost_on_its_page(name):
    blocks = runbook.find(name)
    shown = " ".join(text for block in blocks for item in block.items for text, _ in item)
    source = (runbook.DIRECTORY / f"{name}.md").read_text(encoding="utf-8")
    strip = str.maketrans("", "", "#*`- \n")
    assert shown.translate(strip) == source.translate(strip)


def test_a_list_keeps_its_items_apart_and_joins_their_lines():
    [block] = runbook.parse("* one\n  goes on\n* `two`")
    assert block.is_list
    assert block.items == ((("one goes on", False),), (("two", True),))
