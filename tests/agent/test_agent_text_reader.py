"""The text format is read strictly: what is well formed comes out as it went in, the rest not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from agent.text import Renderer, TextFormat, text_of
from agent.text_reader import HasTimestamps, MalformedText, read_families

NAMES = st.from_regex(r"[a-z_:][a-z0-9_:]{0,8}", fullmatch=True)
LABEL_NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)
LABEL_VALUES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=8
)


def written(families):
    blocks = Renderer().render([part for one in families for part in one.families("Help.")])
    return text_of(blocks, TextFormat.PROMETHEUS).decode()


def samples(text):
    return {
        (sample.name, frozenset((k, v) for k, v in sample.labels.items() if v)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@given(
    name=NAMES,
    series=st.dictionaries(
        st.dictionaries(LABEL_NAMES, LABEL_VALUES, max_size=3).map(lambda d: tuple(d.items())),
        st.floats(allow_nan=False),
        max_size=5,
    ),
)
def test_what_is_written_is_what_was_read(name, series):
    def escaped(value):
        return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

    lines = [
        name + "{" + ",".join(f'{k}="{escaped(v)}"' for k, v in labels) + "} " + repr(value) + "\n"
        for labels, value in series.items()
    ]
    distinct = {frozenset(labels): value for labels, value in series.items()}
    if len(distinct) < len(series):
        return
    text = "".join(lines)
    read = read_families(text).values()
    found = {
        frozenset(labels.items()): value
        for family in read
        for told in family.samples.values()
        for labels, value in told
    }
    assert found == distinct


def test_parts_of_histograms_and_summaries_stay_with_their_metric():
    text = (
        "# TYPE took histogram\n"
        'took_bucket{le="1"} 1\ntook_bucket{le="+Inf"} 2\ntook_sum 3\ntook_count 2\n'
        "# HELP size How large.\n# TYPE size summary\n"
        'size{quantile="0.5"} 4\nsize_sum 9\nsize_count 2\n'
    )
    families = read_families(text)
    assert set(families) == {"took", "size"}
    assert samples(written(families.values())) == samples(text)
    assert "# HELP size How large.\n" in written(families.values())


def test_a_label_that_one_series_lacks_is_empty_there():
    families = read_families('a{x="1"} 1\na{y="1"} 2\na 3\n')
    assert samples(written(families.values())) == samples('a{x="1"} 1\na{y="1"} 2\na 3\n')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n", "line 1: expected a number"),
        ("a 1\nb one\n", "line 2: expected a number"),
        ("a 1_000\n", "expected a number"),
        ("a 1 2 3\n", "nothing after the value"),
        ("1a 1\n", "expected the name"),
        ('a{x="1} 1\n', "expected labels"),
        ('a{x="1",x="2"} 1\n', "the label x comes twice"),
        ('a{x="1" y="2"} 1\n', "expected labels"),
        ("a 1\na 2\n", "told twice"),
        ('a{x="1",y="2"} 1\na{y="2",x="1"} 2\n', "told twice"),
        ("# TYPE a riddle\na 1\n", "is no type"),
        ("a 1\n# TYPE a gauge\n", "after its samples"),
        ("# TYPE a gauge\n# TYPE a gauge\na 1\n", "a second time"),
        ("# TYPE a histogram\na 1\n", "does not fit the type histogram"),
        ("# TYPE a histogram\na_bucket 1\n", "does not fit the type histogram"),
        ("# HELP 1a x\n", "no name of a metric"),
        ('# TYPE a histogram\na_bucket{le="abc"} 1\n', "line 2: expected a number as le"),
        ('# TYPE a histogram\na_bucket{le="NaN"} 1\n', "expected a number as le"),
        ('# TYPE a histogram\na_bucket{le="1"} NaN\n', "expected a count of a_bucket"),
        ('# TYPE a histogram\na_bucket{le="1"} +Inf\n', "expected a count of a_bucket"),
        ("# TYPE a histogram\na_count -1\n", "expected a count of a_count"),
        ('# TYPE a summary\na{quantile="half"} 1\n', "expected a number as quantile"),
        ("# TYPE a summary\na_count NaN\n", "expected a count of a_count"),
    ],
)
def test_what_is_not_well_formed_is_refused_with_line_and_reason(text, message):
    with pytest.raises(MalformedText, match=message):
        read_families(text)


def test_a_quantile_of_nothing_and_a_sum_of_anything_are_told():
    text = '# TYPE a summary\na{quantile="0.5"} NaN\na_sum -3.5\na_count 0\n'
    assert set(read_families(text)["a"].samples) == {"", "_sum", "_count"}


def test_timestamps_are_refused():
    with pytest.raises(HasTimestamps, match="line 2: samples with timestamps"):
        read_families("a 1\nb 2 1700000000000\n")


def refusal(text):
    try:
        read_families(text)
    except MalformedText as error:
        return str(error)
    return None


@given(text=st.text(st.sampled_from('a1{}="\\,\n# \x85TYPEHL'), max_size=30))
def test_any_text_is_read_or_refused_with_its_line(text):
    told = refusal(text)
    assert told is None or told.startswith("line ")
