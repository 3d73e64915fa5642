"""The text formats say exactly what was collected."""

import gzip
import math
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from agent.family import Family, limit_series, single
from agent.page import Pages, _stored
from agent.sheet import Demand, Sheet
from agent.text import Renderer, TextFormat, format_for, format_value, text_of
from watchkeeper.catalogue.metric import counter, gauge, untyped

TEMPERATURE = gauge("room_celsius", 'Warmth, "as felt" \\ measured\nby us.', ("room",))
VISITS = counter("room_visits_total", "Visits.", ("room",))
ODD_COUNTER = counter("pg_stat_database_xact_commit", "Named by others.")
ODD = untyped("node_vmstat_pgfault", "Without a type.")

LARGE = Family(counter("room_steps_total", "Steps.", ("n",)), [((str(n),), n) for n in range(200)])

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=20)


def page(sheets, text_format, *, tail=(), is_compressed=False):
    tail = Sheet(Renderer().render(tail))
    return Pages().page(tuple(sheets), text_format, tail=tail, is_compressed=is_compressed)


def written(*families, text_format=TextFormat.PROMETHEUS):
    return page([Sheet(Renderer().render(families))], text_format).decode()


@given(samples=st.dictionaries(names, st.floats(allow_nan=False), min_size=1, max_size=10))
def test_a_parser_reads_back_every_label_and_value(samples):
    text = written(Family(TEMPERATURE, [((room,), value) for room, value in samples.items()]))
    (family,) = parse_text(text)
    assert {sample.labels["room"]: sample.value for sample in family.samples} == samples


@given(st.one_of(st.floats(), st.integers(-(2**70), 2**70), st.booleans()))
def test_a_number_is_written_so_that_it_reads_back_the_same(value):
    read = float(format_value(value))
    assert read == float(value) or (math.isnan(read) and math.isnan(value))


def test_openmetrics_keeps_every_name_and_is_valid():
    families = (
        single(TEMPERATURE, 21.5, ("hall",)),
        single(VISITS, 3, ("hall",)),
        single(ODD_COUNTER, 7),
        single(ODD, 9),
    )
    read = list(parse_openmetrics(written(*families, text_format=TextFormat.OPENMETRICS)))
    assert {family.name: family.type for family in read} == {
        "room_celsius": "gauge",
        "room_visits": "counter",
        "pg_stat_database_xact_commit": "unknown",
        "node_vmstat_pgfault": "unknown",
    }
    assert [sample.value for family in read for sample in family.samples] == [21.5, 3, 7, 9]


def test_one_metric_of_two_collectors_stands_under_one_header():
    blocks = Renderer().render([single(VISITS, 1, ("hall",)), single(ODD, 2)])
    blocks += Renderer().render([single(VISITS, 3, ("attic",))])
    text = text_of(blocks, TextFormat.PROMETHEUS).decode()
    assert text.count("# TYPE room_visits_total") == 1
    assert 'room_visits_total{room="hall"} 1\nroom_visits_total{room="attic"} 3\n' in text


def sheet(*families):
    return Sheet(Renderer().render(families))


def test_two_collectors_that_tell_of_one_metric_share_its_header():
    sheets = [
        sheet(single(VISITS, 1, ("hall",)), single(ODD, 2)),
        sheet(single(TEMPERATURE, 3, ("hall",))),
        sheet(single(VISITS, 4, ("attic",))),
    ]
    text = page(sheets, TextFormat.PROMETHEUS).decode()
    assert text.count("# TYPE room_visits_total") == 1
    assert 'room_visits_total{room="hall"} 1\nroom_visits_total{room="attic"} 4\n' in text
    assert {family.name for family in parse_text(text)} == {
        "room_visits", "node_vmstat_pgfault", "room_celsius",
    }  # fmt: skip


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from([TEMPERATURE, VISITS]), names, st.floats()), max_size=5),
        max_size=5,
    ),
    st.sampled_from(TextFormat),
)
def test_a_compressed_page_is_the_page(collected, text_format):
    sheets = [sheet(*(single(m, v, (n,)) for m, n, v in rows)) for rows in collected]
    sheets.insert(len(sheets) // 2, sheet(LARGE))
    tail = [single(ODD, 1)]
    plain = page(sheets, text_format, tail=tail)
    assert gzip.decompress(page(sheets, text_format, tail=tail, is_compressed=True)) == plain


def test_a_compressed_page_is_one_member_that_any_client_can_read():
    sheets = [sheet(single(ODD, n)) for n in range(3)] + [sheet(single(VISITS, 1, ("hall",)))]
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    reader.decompress(page(sheets, TextFormat.OPENMETRICS, is_compressed=True))
    assert reader.eof
    assert not reader.unused_data


def test_what_did_not_change_is_joined_once():
    pages, sheets = Pages(), (sheet(single(ODD, 1)), sheet(single(VISITS, 1, ("hall",))))
    pages.page(sheets, TextFormat.PROMETHEUS, is_compressed=True)
    ((_, joined),) = pages._kept.values()
    pages.page(sheets, TextFormat.PROMETHEUS, is_compressed=True)
    assert pages._kept[TextFormat.PROMETHEUS, True][1] is joined
    changed = (sheets[0], sheet(single(VISITS, 2, ("hall",))))
    text = gzip.decompress(pages.page(changed, TextFormat.PROMETHEUS, is_compressed=True))
    assert b'room_visits_total{room="hall"} 2\n' in text


@given(st.integers(0, 200_000))
def test_a_tail_of_any_length_is_stored_whole(length):
    reader = zlib.decompressobj(-zlib.MAX_WBITS)
    assert reader.decompress(_stored(b"x" * length)) == b"x" * length
    assert reader.eof


def test_a_large_sheet_is_written_ahead_in_the_ways_it_is_asked_for():
    demand = Demand()
    demand.note(TextFormat.OPENMETRICS, is_compressed=True)
    large, small = sheet(LARGE), sheet(single(ODD, 1))
    for one in (large, small):
        one.prepare(demand)
        assert set(one._texts) == {TextFormat.OPENMETRICS}
    assert set(large._deflated) == {TextFormat.OPENMETRICS}
    assert not small._deflated  # it is compressed together with others


def test_bytes_that_are_not_text_do_not_spoil_the_page():
    name = b"disk-\xff".decode("utf-8", "surrogateescape")
    assert 'room="disk-?"' in written(single(TEMPERATURE, 1, (name,)))


def test_a_label_too_few_is_a_bug_that_shows():
    with pytest.raises(ValueError, match="room_celsius has labels"):
        written(single(TEMPERATURE, 1))


@pytest.mark.parametrize(
    ("accept", "text_format"),
    [
        ("", TextFormat.PROMETHEUS),
        ("text/plain", TextFormat.PROMETHEUS),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", TextFormat.OPENMETRICS),
        ("application/openmetrics-text;q=0.2, text/plain", TextFormat.PROMETHEUS),
        ("application/openmetrics-text;q=0", TextFormat.PROMETHEUS),
        ("application/openmetrics-text;q=much", TextFormat.OPENMETRICS),
    ],
)
def test_the_client_chooses_the_format(accept, text_format):
    assert format_for(accept) is text_format


@given(sizes=st.lists(st.integers(0, 20), max_size=10), cap=st.integers(0, 60))
def test_a_cap_on_series_loses_count_of_none(sizes, cap):
    families = [Family(VISITS, [((str(n),), n) for n in range(size)]) for size in sizes]
    limited = limit_series(families, cap)
    assert limited.series == min(sum(sizes), cap)
    assert limited.series + limited.dropped == sum(sizes)
    assert sum(len(family.samples) for family in limited.families) == limited.series


def test_values_that_come_back_under_other_names_are_told_under_those():
    renderer, plain = Renderer(), counter("told_total", "Told.")
    for label_names in (("a",), ("b",), ("a", "b"), ("b", "a")):
        values = ("x", "y")[: len(label_names)]
        text = renderer.render([Family(plain, [(values, 1)], extra_labels=label_names)])[0].lines
        (family,) = parse_text(text.decode())
        assert family.samples[0].labels == dict(zip(label_names, values, strict=True))


def test_what_did_not_change_is_not_written_again():
    renderer = Renderer()
    first = renderer.render([single(VISITS, 1, ("hall",)), single(ODD, 2)])
    again = renderer.render(
        [single(VISITS, 1, ("hall",)), single(ODD, 3), single(TEMPERATURE, 4, ("hall",))]
    )
    assert again[0] is first[0]
    assert [block.lines for block in again[1:]] == [
        b"node_vmstat_pgfault 3\n",
        b'room_celsius{room="hall"} 4\n',
    ]
    renderer.render([])
    assert not renderer._told  # nothing is held that is no longer told


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from([TEMPERATURE, VISITS]), names, st.floats()), max_size=5),
        max_size=5,
    )
)
def test_a_page_written_again_says_what_one_written_anew_says(rounds):
    renderer = Renderer()
    for rows in rounds:
        families = [single(metric, value, (name,)) for metric, name, value in rows]
        lines = b"".join(block.lines for block in renderer.render(families))
        anew = b"".join(block.lines for block in Renderer().render(families))
        # 0 and -0 are one number.
        assert lines.replace(b" -0\n", b" 0\n") == anew.replace(b" -0\n", b" 0\n")


@pytest.mark.parametrize("text_format", TextFormat)
def test_a_metric_that_becomes_another_gets_another_header(text_format):
    def text(metric):
        return text_of(Renderer().render([single(metric, 1)]), text_format).decode()

    assert " gauge\n" in text(gauge("told_anew", "First."))
    assert "Second." in text(gauge("told_anew", "Second."))
    assert " gauge\n" not in text(untyped("told_anew", "Second."))


def test_what_is_remembered_of_labels_stays_in_proportion_to_what_is_served():
    renderer = Renderer()
    for n in range(2000):
        renderer.render([single(VISITS, 1, (f"visitor {n}",))])
    assert renderer._kept < 100
    assert sum(map(len, renderer._prefixes.values())) < 100
