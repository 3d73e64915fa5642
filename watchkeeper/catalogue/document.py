"""docs/metrics.md, from the catalogue: ``python -m watchkeeper.catalogue.document``."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

from watchkeeper.catalogue import FAMILIES, Metric, metrics_of
from watchkeeper.catalogue.sources import CATALOGUE, sources_of_metrics

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "docs/metrics.md"

HEAD = """\
# Metrics

Every metric that the stack exposes or asks for, generated from the catalogue by `make metrics`.
In code quotes under "from" stand the agent's collectors; `instrument` is what an application
imports. What Watchkeeper only asks for has no source.
"""


def document(root: Path = ROOT) -> str:
    """Return the whole text."""
    sources = sources_of_metrics(root)
    return "\n".join([HEAD, *(_section(family, sources) for family in FAMILIES)])


def _section(family: str, sources: dict[str, list[str]]) -> str:
    module = import_module(f"{CATALOGUE}.{family}")
    title = (inspect.getdoc(module) or family).splitlines()[0]
    lines = [f"## {family}", "", title, "", "| metric | type | unit | labels | from | what it is |"]
    lines.append("|---|---|---|---|---|---|")
    own = [f"`{family}`"] if (ROOT / f"agent/collectors/{family}.py").exists() else []
    metrics = dict.fromkeys(metrics_of(module))
    lines += [_row(metric, ", ".join(sources.get(metric.name, own))) for metric in metrics]
    return "\n".join([*lines, ""])


def _row(metric: Metric, source: str) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    help_text = metric.help.replace("|", "\\|").replace("<", "&lt;")
    cells = (f"`{metric.name}`", str(metric.kind), metric.unit, labels, source, help_text)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
