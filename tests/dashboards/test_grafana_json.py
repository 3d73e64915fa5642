"""What Grafana would say of the generated files, without a Grafana."""

import json
import re
from functools import cache, partial
from itertools import combinations
from pathlib import Path

import jsonschema
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import gauge, heatmap, statetimeline

from dashboards import generate, recording
from dashboards.annotations import ANNOTATIONS
from dashboards.boards import BOARDS
from dashboards.expression import uncatalogued, variables
from dashboards.grafana import DATASOURCE_UID
from watchkeeper.catalogue import every_metric

SCHEMAS = Path(__file__).parent / "schema"
VOCABULARY = json.loads((SCHEMAS / "vocab.json").read_text(encoding="utf-8"))
GENERATED = {name: json.loads(text) for name, text in generate.wanted().items()}
READ_BACK = {"gauge": gauge, "heatmap": heatmap, "state-timeline": statetimeline}
"""Kinds without a schema here: what Grafana's own types read back must be all that was written."""
GRAFANAS_OWN_VARIABLES = {"__rate_interval", "__range", "__interval"}

each_dashboard = pytest.mark.parametrize("dashboard", GENERATED.values(), ids=GENERATED.keys())


@cache
def validator(schema: str, definition: str = "") -> jsonschema.Draft7Validator:
    document = json.loads((SCHEMAS / f"{schema}.json").read_text(encoding="utf-8"))
    if definition:
        document["$ref"] = f"#/definitions/{definition}"
    return jsonschema.Draft7Validator(document)


def complaints(schema, definition, data):
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in validator(schema, definition).iter_errors(data)
    ]


def panels_of(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def variables_of(dashboard):
    return {variable["name"] for variable in dashboard["templating"].get("list", [])}


def drawn_panels_of(dashboard):
    return [panel for panel in panels_of(dashboard) if panel["type"] != "row"]


def test_the_committed_files_are_what_the_boards_generate():
    assert generate.differences(generate.TARGET) == []
    assert recording.TARGET.read_text() == recording.text(), "run: make dashboards"


def test_a_changed_a_missing_and_a_leftover_file_are_all_named(tmp_path):
    generate.write(tmp_path)
    names = sorted(generate.wanted())
    (tmp_path / names[0]).write_text("{}", encoding="utf-8")
    (tmp_path / names[1]).unlink()
    (tmp_path / "old.json").write_text("{}", encoding="utf-8")

    assert generate.differences(tmp_path) == sorted([names[0], names[1], "old.json"])

    generate.write(tmp_path)
    assert generate.differences(tmp_path) == []


@each_dashboard
def test_the_dashboard_fits_grafanas_schema(dashboard):
    assert complaints("dashboard", "", dashboard) == []


def lost_on_reading(panel_type, definition, data):
    """Return the data when Grafana's own type, having read it, writes something else."""
    read = getattr(READ_BACK[panel_type], definition).from_json(data)
    return [] if json.loads(json.dumps(read, cls=JSONEncoder)) == data else [data]


@each_dashboard
def test_every_panel_fits_the_schema_of_its_kind(dashboard):
    for panel in drawn_panels_of(dashboard):
        kind = panel["type"]
        check = partial(lost_on_reading if kind in READ_BACK else complaints, kind)
        assert check("Options", panel["options"]) == [], panel["title"]
        custom = panel["fieldConfig"]["defaults"].get("custom")
        if custom is not None:
            assert check("FieldConfig", custom) == [], panel["title"]


@each_dashboard
def test_every_query_fits_the_schema_of_prometheus_queries(dashboard):
    for panel in drawn_panels_of(dashboard):
        for target in panel["targets"]:
            assert complaints("prometheus", "", target) == [], panel["title"]


@each_dashboard
def test_lines_over_a_histogram_show_its_single_requests_with_their_traces(dashboard):
    for panel in drawn_panels_of(dashboard):
        for target in panel["targets"]:
            is_over_time = target.get("range", False)
            shows = is_over_time and "_seconds_bucket" in target["expr"]
            assert target.get("exemplar", False) is shows, (panel["title"], target["expr"])


@each_dashboard
def test_grafana_knows_every_unit_reducer_and_transformation(dashboard):
    for panel in drawn_panels_of(dashboard):
        assert panel["fieldConfig"]["defaults"]["unit"] in VOCABULARY["units"]
        for override in panel["fieldConfig"]["overrides"]:
            assert override["matcher"]["id"] in VOCABULARY["fieldMatchers"]
            units = [p["value"] for p in override["properties"] if p["id"] == "unit"]
            assert set(units) <= set(VOCABULARY["units"])
        calcs = panel["options"].get("reduceOptions", {}).get("calcs", [])
        assert set(calcs) <= set(VOCABULARY["calcs"])
        transformations = [step["id"] for step in panel.get("transformations", [])]
        assert set(transformations) <= set(VOCABULARY["transformations"])


@each_dashboard
def test_every_variable_used_is_defined(dashboard):
    for panel in drawn_panels_of(dashboard):
        used = variables(json.dumps([target["expr"] for target in panel["targets"]]))
        used |= variables(panel["title"]) | ({panel["repeat"]} if "repeat" in panel else set())
        assert used - GRAFANAS_OWN_VARIABLES <= variables_of(dashboard), panel["title"]


@each_dashboard
def test_every_variable_defined_is_used(dashboard):
    expressions = json.dumps([panel["targets"] for panel in drawn_panels_of(dashboard)])
    links = json.dumps([panel.get("links", []) for panel in drawn_panels_of(dashboard)])
    assert variables_of(dashboard) <= variables(
        expressions + links + json.dumps(dashboard["links"])
    )


@each_dashboard
def test_alerts_incidents_actions_and_deploys_are_marked(dashboard):
    marks = {mark["name"]: mark["expr"] for mark in dashboard["annotations"]["list"]}
    assert set(marks) == {mark.title for mark in ANNOTATIONS}
    assert {"Incidents", "Actions", "Deploys and restarts"} <= set(marks)
    assert all(uncatalogued(expression, every_metric()) == set() for expression in marks.values())


@each_dashboard
def test_panel_ids_and_the_ref_ids_of_a_panel_are_unique(dashboard):
    ids = [panel["id"] for panel in panels_of(dashboard)]
    assert len(ids) == len(set(ids))
    for panel in drawn_panels_of(dashboard):
        refs = [target["refId"] for target in panel["targets"]]
        assert len(refs) == len(set(refs))


def test_uids_are_unique_and_the_ones_the_menu_lists():
    assert [dashboard["uid"] for dashboard in GENERATED.values()] == list(BOARDS)


@each_dashboard
def test_no_two_panels_overlap_and_none_leaves_the_grid(dashboard):
    rectangles = [(panel["title"], panel["gridPos"]) for panel in panels_of(dashboard)]
    for title, grid in rectangles:
        assert grid["x"] + grid["w"] <= 24, title
        assert min(grid["w"], grid["h"]) >= 1, title
    for (one, a), (other, b) in combinations(rectangles, 2):
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        assert apart, f"{one} overlaps {other}"


@each_dashboard
def test_every_datasource_is_the_provisioned_one(dashboard):
    uids = re.findall(r'"datasource": \{"type": "\w+", "uid": "([^"]+)"', json.dumps(dashboard))
    assert set(uids) == {DATASOURCE_UID}


@each_dashboard
def test_the_time_range_is_one_grafana_can_read(dashboard):
    assert re.fullmatch(r"now-\d+[smhdw]", dashboard["time"]["from"])
    assert dashboard["time"]["to"] == "now"


@each_dashboard
def test_every_link_leads_to_a_dashboard_that_exists(dashboard):
    urls = re.findall(r'"url": "/d/([^"]+)"', json.dumps(dashboard))
    assert set(urls) <= set(BOARDS)
    assert urls
