"""Grafana's JSON of a dashboard; the only module that knows grafana-foundation-sdk."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import (
    gauge,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import heatmap as heatmap_models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.annotations import ANNOTATIONS, Annotation
from dashboards.boards import board
from dashboards.expression import has_exemplars
from dashboards.layout import Place, place
from dashboards.spec import (
    Dashboard,
    Gauge,
    HeatMap,
    Level,
    Panel,
    Role,
    Stat,
    StateTimeline,
    Table,
    Thresholds,
    TimeSeries,
    Variable,
)
from watchkeeper import addresses
from watchkeeper.catalogue import every_metric

DATASOURCE_UID = "watchkeeper-prometheus"
"""What ``grafana/provisioning`` calls the Prometheus of the stack."""

COLOURS = {
    Level.OK: "green",
    Level.NOTICE: "yellow",
    Level.WARNING: "orange",
    Level.CRITICAL: "red",
}
"""Grafana's named colours, which follow its light and dark themes."""

POINTS = 240
"""Points of a line at most, as many as the console draws: two to three pixels each where three
panels share a screen of 1920. Grafana would ask for one a pixel, and Prometheus works out each."""

LAST = "lastNotNull"
"""The reducer of instant answers. They have one point, so nothing stale can stand in for now."""


def render(spec: Dashboard) -> str:
    """Return a dashboard as Grafana's JSON, the same from run to run, with a final newline."""
    plain = json.loads(json.dumps(_dashboard(spec).build(), cls=JSONEncoder))
    return json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _dashboard(spec: Dashboard) -> Any:
    out = (
        builders.Dashboard(spec.title)
        .uid(spec.uid)
        .description(spec.purpose)
        .tags(list(spec.tags))
        .time(f"now-{spec.window}", "now")
        .refresh(spec.refresh)
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .readonly()
    )
    for annotation in ANNOTATIONS:
        out.annotation(_annotation(annotation))
    out.with_variable(_console_address())
    for variable in spec.variables:
        out.with_variable(_variable(variable))
    for uid in spec.see_also:
        out.link(_link(board(uid).title, uid))
    out.link(_console_link("Incidents", "/"))
    _add_rows(out, spec)
    return out


def _add_rows(out: Any, spec: Dashboard) -> None:
    ids = count(1)
    for row, heading, panels in place(spec.rows):
        band = builders.Row(row.title).id(next(ids)).grid_pos(_grid(heading))
        built = [_panel(panel).id(next(ids)).grid_pos(_grid(spot)) for panel, spot in panels]
        if row.collapsed:  # Grafana keeps the panels of a closed row inside it
            for panel in built:
                band.with_panel(panel)
        out.with_row(band)
        if not row.collapsed:
            for panel in built:
                out.with_panel(panel)


def _panel(panel: Panel) -> Any:
    out = PANELS[type(panel)](panel)
    out.title(panel.title).description(panel.description).datasource(_datasource())
    out.unit(str(panel.unit)).thresholds(_thresholds(panel.thresholds))
    for at, query in enumerate(panel.queries):
        target = (
            prometheus.Dataquery()
            .ref_id(_ref_id(at))
            .expr(query.expression)
            .legend_format(query.legend or "__auto")
            .datasource(_datasource())
        )
        if isinstance(panel, OVER_TIME):
            target.range()
            if has_exemplars(query.expression, every_metric()):
                target.exemplar(exemplar=True)
            out.max_data_points(POINTS)
        else:
            target.instant()
        if isinstance(panel, HeatMap):
            target.format(PromQueryFormat.HEATMAP)
        if isinstance(panel, Table):
            target.format(PromQueryFormat.TABLE)
        out.with_target(target)
    if panel.silence:
        out.no_value("none")
    links = [_link(link.title, link.dashboard) for link in panel.links]
    if panel.runbook:
        links.append(_console_link("Runbook", f"/runbooks/{panel.runbook}"))
    if links:
        out.links(links)
    if panel.repeat:
        out.repeat(panel.repeat).repeat_direction("h").max_per_row(3)
    return out


def _stat(_panel: Stat) -> Any:
    return (
        stat.Panel()
        .reduce_options(common_builders.ReduceDataOptions().calcs([LAST]))
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.VALUE)
        .color_scheme(_by_thresholds())
    )


def _gauge(panel: Gauge) -> Any:
    return (
        gauge.Panel()
        .reduce_options(common_builders.ReduceDataOptions().calcs([LAST]))
        .min(0)
        .max(panel.maximum)
        .color_scheme(_by_thresholds())
    )


def _time_series(panel: TimeSeries) -> Any:
    out = (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(25 if panel.stacked else 0)
        .show_points(common.VisibilityMode.NEVER)
        .color_scheme(builders.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .legend(
            common_builders.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
            .calcs([])
        )
        .tooltip(
            common_builders.VizTooltipOptions()
            .mode(common.TooltipDisplayMode.MULTI)
            .sort(common.SortOrder.DESCENDING)
        )
    )
    if panel.minimum is not None:
        out.axis_soft_min(panel.minimum)
    if panel.stacked:
        out.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    if panel.thresholds.steps:
        out.thresholds_style(
            common_builders.GraphThresholdsStyleConfig().mode(
                common.GraphThresholdsStyleMode.DASHED
            )
        )
    _draw_band(out, panel)
    return out


def _heat_map(panel: HeatMap) -> Any:
    return (
        heatmap.Panel()
        .calculate(calculate=False)
        .y_axis(heatmap.YAxisConfig().unit(str(panel.unit)))
        .color(
            heatmap.HeatmapColorOptions()
            .mode(heatmap_models.HeatmapColorMode.SCHEME)
            .scheme("Blues")
            .steps(64)
            .reverse(reverse=False)
        )
        .filter_values(heatmap.FilterValueRange().le(SMALLEST_RATE))
        .cell_gap(1)
    )


SMALLEST_RATE = 1e-9
"""Cells below this many a second are left empty, as nothing happened there."""


def _state_timeline(panel: StateTimeline) -> Any:
    looks = {
        f"{state.value:g}": models.ValueMappingResult(
            text=state.word, color=COLOURS[state.level], index=at
        )
        for at, state in enumerate(panel.states)
    }
    return (
        statetimeline.Panel()
        .mappings([models.ValueMap(options=looks)])
        .merge_values(merge_values=True)
        .show_value(common.VisibilityMode.NEVER)
        .color_scheme(_by_thresholds())
        .row_height(0.85)
    )


def _draw_band(out: Any, panel: TimeSeries) -> None:
    """Draw lower and upper as the edges of a filled band, expected as a dashed line."""
    lower = next((query.legend for query in panel.queries if query.role is Role.LOWER), None)
    for at, query in enumerate(panel.queries):
        looks: dict[str, Any] = {}
        if query.role in (Role.LOWER, Role.UPPER):
            looks = {"custom.lineWidth": 0, "custom.hideFrom": _only_in_legend_hidden()}
        if query.role is Role.UPPER:
            looks |= {"custom.fillBelowTo": lower, "custom.fillOpacity": 15}
        if query.role is Role.EXPECTED:
            looks = {"custom.lineStyle": {"fill": "dash", "dash": [6, 6]}}
        if looks:
            properties = [models.DynamicConfigValue(key, value) for key, value in looks.items()]
            out.override_by_query(_ref_id(at), properties)


def _only_in_legend_hidden() -> dict[str, bool]:
    return {"legend": True, "tooltip": False, "viz": False}


def _table(panel: Table) -> Any:
    titles = {_field(panel, at): column.title for at, column in enumerate(panel.columns)}
    out = (
        table.Panel()
        .sort_by(
            [
                common_builders.TableSortByFieldState()
                .display_name(panel.sort_by)
                .desc(desc=not panel.is_ascending)
            ]
        )
        .with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(
            models.DataTransformerConfig(
                id_val="filterFieldsByName", options={"include": {"names": list(titles)}}
            )
        )
        .with_transformation(
            models.DataTransformerConfig(
                id_val="organize",
                options={
                    "indexByName": {field: at for at, field in enumerate(titles)},
                    "renameByName": titles,
                    "excludeByName": {},
                },
            )
        )
    )
    for column in panel.columns:
        if column.query is not None:
            out.override_by_name(
                column.title, [models.DynamicConfigValue("unit", str(column.unit))]
            )
    return out


def _field(panel: Table, at: int) -> str:
    """Return what Grafana calls a column before it is renamed."""
    column = panel.columns[at]
    if column.label is not None:
        return column.label
    assert column.query is not None  # noqa: S101  # Column has one or the other
    return "Value" if len(panel.queries) == 1 else f"Value #{_ref_id(column.query)}"


PANELS: dict[type[Panel], Any] = {
    Stat: _stat,
    Gauge: _gauge,
    TimeSeries: _time_series,
    HeatMap: _heat_map,
    StateTimeline: _state_timeline,
    Table: _table,
}
"""How each kind of panel is built."""

OVER_TIME = TimeSeries | HeatMap | StateTimeline


def _thresholds(thresholds: Thresholds) -> Any:
    steps = [models.Threshold(value=None, color=COLOURS[thresholds.base])]
    steps += [
        models.Threshold(value=step.at, color=COLOURS[step.level]) for step in thresholds.steps
    ]
    return builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _by_thresholds() -> Any:
    return builders.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)


def _variable(variable: Variable) -> Any:
    everything = models.VariableOption(text="All", value="$__all", selected=True)
    return (
        builders.QueryVariable(variable.name)
        .label(variable.title)
        .query(f"label_values({variable.series}, {variable.label})")
        .datasource(_datasource())
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(everything)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )


def _annotation(annotation: Annotation) -> Any:
    return (
        builders.AnnotationQuery()
        .name(annotation.title)
        .datasource(_datasource())
        .enable(enable=True)
        .icon_color(COLOURS[annotation.level])
        .expr(annotation.expression)
    )


CONSOLE_VARIABLE = "console"


def _console_address() -> Any:
    """Return where links to runbooks and incidents lead; whoever runs it elsewhere changes it."""
    return (
        builders.TextBoxVariable(CONSOLE_VARIABLE)
        .label("Console")
        .default_value(addresses.url_of("console", {}))
        .hide(models.VariableHide.HIDE_VARIABLE)
    )


def _console_link(title: str, path: str) -> Any:
    return (
        builders.DashboardLink(title)
        .type(models.DashboardLinkType.LINK)
        .url(f"${{{CONSOLE_VARIABLE}}}{path}")
        .target_blank(target_blank=True)
    )


def _link(title: str, uid: str) -> Any:
    return (
        builders.DashboardLink(title)
        .type(models.DashboardLinkType.LINK)
        .url(f"/d/{uid}")
        .keep_time(keep_time=True)
        .include_vars(include_vars=True)
    )


def _datasource() -> Any:
    return models.DataSourceRef(type_val="prometheus", uid=DATASOURCE_UID)


def _grid(spot: Place) -> Any:
    return models.GridPos(x=spot.x, y=spot.y, w=spot.width, h=spot.height)


def _ref_id(at: int) -> str:
    return chr(ord("A") + at)
