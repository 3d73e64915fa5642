"""Which part of the stack exposes a metric, read from the sources: who names it in code."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from watchkeeper.catalogue.metric import Metric

CATALOGUE = "watchkeeper.catalogue"

PARTS = ("agent", "anomaly", "alerting", "remediation", "dashboards/console", "watchkeeper")
"""Where metrics are exposed, in the order of the documentation; boards and rules only ask."""

NOT_EXPOSING = ("watchkeeper/catalogue", "watchkeeper/gameday")


def sources_of_metrics(root: Path) -> dict[str, list[str]]:
    """Return by metric name who exposes it, in words for a table; collectors in code quotes.

    Names that a collector puts together while it runs, such as those of a server's settings, are
    not found; they stand in the family of the collector's name.

    Args:
        root: of the repository.
    """
    found: dict[str, list[str]] = {}
    for source, name in (*_of_collectors(root), *_of_parts(root)):
        sources = found.setdefault(name, [])
        if source not in sources:
            sources.append(source)
    return found


def _of_collectors(root: Path) -> Iterator[tuple[str, str]]:
    for file in sorted((root / "agent/collectors").glob("*.py")):
        kind = file.stem.replace("_", "-")
        if kind != "--init--":
            for used in sorted(_with_imports(root, file)):
                yield from ((f"`{kind}`", name) for name in _names_in(used))


def _of_parts(root: Path) -> Iterator[tuple[str, str]]:
    collected = {name for _, name in _of_collectors(root)}
    for part in PARTS:
        for file in sorted((root / part).rglob("*.py")):
            place = file.relative_to(root).as_posix()
            if not place.startswith((*NOT_EXPOSING, "agent/collectors")):
                who = "instrument" if "/instrument/" in place else part.partition("/")[2] or part
                yield from ((who, name) for name in _names_in(file) if name not in collected)


def _with_imports(root: Path, file: Path) -> set[Path]:
    """Return ``file`` and what it imports of the agent, and they in turn, but no collectors."""
    found, open_ = set(), [file]
    while open_:
        current = open_.pop()
        if current in found:
            continue
        found.add(current)
        for module, names in _imports(current):
            places = [module, *(f"{module}.{name}" for name in names)]
            files = [root / f"{place.replace('.', '/')}.py" for place in places]
            open_ += [
                one
                for one in files
                if module.startswith("agent.")
                and not module.startswith("agent.collectors")
                and one.is_file()
            ]
    return found


@cache
def _parsed(file: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


@cache
def _imports(file: Path) -> list[tuple[str, list[str]]]:
    return [
        (node.module, [alias.name for alias in node.names])
        for node in _parsed(file)
        if isinstance(node, ast.ImportFrom) and node.module
    ]


@cache
def _names_in(file: Path) -> list[str]:
    """Return the metrics a file names, as ``family.CONSTANT`` or through an import of it."""
    families: dict[str, str] = {}
    constants: dict[str, tuple[str, str]] = {}
    for node in _parsed(file):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if node.module == CATALOGUE:
                    families[alias.asname or alias.name] = f"{CATALOGUE}.{alias.name}"
                elif node.module.startswith(f"{CATALOGUE}."):
                    constants[alias.asname or alias.name] = (node.module, alias.name)
    found: dict[str, None] = {}
    for node in _parsed(file):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            family = families.get(node.value.id)
            if family is not None:
                found |= dict.fromkeys(_metrics_at(family, node.attr))
        elif isinstance(node, ast.Name) and node.id in constants:
            found |= dict.fromkeys(_metrics_at(*constants[node.id]))
    return list(found)


def _metrics_at(module: str, attribute: str) -> Iterator[str]:
    try:
        value = getattr(import_module(module), attribute, None)
    except ModuleNotFoundError:  # a class of the catalogue's own, not a family
        return
    yield from _names_of(value)


def _names_of(value: object) -> Iterator[str]:
    if isinstance(value, Metric):
        yield value.name
    elif isinstance(value, Mapping):
        for entry in (*value.keys(), *value.values()):
            yield from _names_of(entry)
    elif isinstance(value, (tuple, list, frozenset)):
        for entry in value:
            yield from _names_of(entry)
