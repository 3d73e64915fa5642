"""Panels never overlap, whatever a board is made of."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from dashboards.layout import COLUMNS, place
from dashboards.spec import Gauge, Query, Row, Stat, Table, TimeSeries

QUERIES = (Query("up"),)
WORDS = {"title": "t", "description": "d", "queries": QUERIES}
KINDS = [
    Stat(**WORDS),
    Gauge(**WORDS),
    TimeSeries(**WORDS),
    Table(**WORDS, columns=(), sort_by=""),
]

rows = st.lists(
    st.lists(st.sampled_from(KINDS), max_size=14).map(lambda panels: Row("r", tuple(panels))),
    max_size=5,
)


def cells(spot):
    return {
        (x, y)
        for x in range(spot.x, spot.x + spot.width)
        for y in range(spot.y, spot.y + spot.height)
    }


@given(rows)
def test_no_two_places_share_a_cell_and_none_leaves_the_grid(rows):
    spots = [
        spot for _, heading, panels in place(rows) for spot in [heading, *(p[1] for p in panels)]
    ]
    for one, other in combinations(map(cells, spots), 2):
        assert one.isdisjoint(other)
    assert all(spot.x >= 0 and spot.x + spot.width <= COLUMNS for spot in spots)


@given(rows)
def test_every_panel_is_placed_once_and_in_reading_order(rows):
    placed = [panel for _, _, panels in place(rows) for panel, _ in panels]
    assert placed == [panel for row in rows for panel in row.panels]


def test_seven_stats_share_two_lines_as_evenly_as_possible():
    [(_, _, panels)] = place([Row("r", (KINDS[0],) * 7)])
    widths = [spot.width for _, spot in panels]
    assert widths == [6, 6, 6, 6, 8, 8, 8]
