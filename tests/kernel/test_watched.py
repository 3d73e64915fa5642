"""Whatever becomes of a file, what was last read well from it stays in force."""

import pytest

from watchkeeper.errors import ConfigError
from watchkeeper.watched import Watched


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "names"
    path.write_text("one two")
    return path


def test_a_reader_that_trips_leaves_the_last_content_and_is_not_asked_again(file):
    asked, reports = [], []

    def words(path):
        text = path.read_text()
        asked.append(text)
        return {"one": 1}[text.split()[0]]

    watched = Watched(file, words, on_reload=reports.append)
    file.write_text("three and four")
    assert not any(watched.reload_if_changed() for _ in range(3))
    assert (watched.current, asked) == (1, ["one two", "three and four"])
    assert "KeyError" in str(watched.problem)
    assert [type(report) for report in reports] == [ConfigError]
    file.write_text("one")
    assert watched.reload_if_changed()
    assert (watched.problem, reports[-1]) == (None, None)


def test_content_that_does_not_say_what_it_leans_on_is_not_used(file):
    def leaning(text):
        return {} if text == "one two" else text.stamps

    watched = Watched(file, lambda path: path.read_text(), leans_on=leaning)
    file.write_text("three and four")
    assert not any(watched.reload_if_changed() for _ in range(3))
    assert watched.current == "one two"
    assert "AttributeError" in str(watched.problem)
