"""The report as one self-contained file: no script, nothing loaded, ready for print."""

from __future__ import annotations

from pathlib import Path

import jinja2

from dashboards.console.presentation import utc
from dashboards.console.quantities import quantity, span
from dashboards.report import sparkline
from dashboards.report.report import Report
from dashboards.spec import Unit

TEMPLATES = Path(__file__).parent / "templates"


def environment() -> jinja2.Environment:
    """Return what fills the templates; everything is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters.update(utc=utc, span=span, quantity=quantity, spark=sparkline.path)
    made.globals.update(ratio=Unit.RATIO, per_second=Unit.OPERATIONS_PER_SECOND)
    return made


def html(report: Report, *, console_url: str = "") -> str:
    """Return the whole file; links lead to the console at ``console_url``, or nowhere."""
    return environment().get_template("report.html").render(report=report, console=console_url)


def body(report: Report) -> str:
    """Return only what a page of the console shows around its own head."""
    return environment().get_template("body.html").render(report=report, console="/")


def text(report: Report) -> str:
    """Return the report in plain words, for a terminal and for mail readers without HTML."""
    made = environment()
    made.autoescape = False
    return made.get_template("report.txt").render(report=report)
