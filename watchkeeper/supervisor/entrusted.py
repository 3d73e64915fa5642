"""Which secrets of the environment a process is given: those its own files name, not others'."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml

_FILE = re.compile(r"\{config:(?P<name>[\w.-]+)\}")


def secrets_named_in(path: Path) -> frozenset[str]:
    """Return the variables a configuration file takes secrets from: ``{env: NAME}``.

    A file that is not YAML names none; the part that reads it says so.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return frozenset()
    return frozenset(name for node in _nodes(root) for name in _secret(node))


def withheld(command: Iterable[str], named: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the variables that a process must not be given.

    Args:
        command: as declared, with ``{config:FILE}`` for each file the process reads.
        named: the variables that hold secrets, by the name of the file that names them.
    """
    own = {match["name"] for part in command for match in _FILE.finditer(part)}
    its = {name for file in own for name in named.get(file, frozenset())}
    return frozenset(name for names in named.values() for name in names) - its


def _nodes(root: yaml.Node | None) -> Iterator[yaml.Node]:
    waiting = [root] if root is not None else []
    seen: set[int] = set()  # an alias is the same node again, and may stand within itself
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _secret(node: yaml.Node) -> Iterator[str]:
    if not isinstance(node, yaml.MappingNode):
        return
    values = {str(key.value): value.value for key, value in node.value}
    # Just the shape of a Secret: a label of a query may be called env, too.
    if isinstance(values.get("env"), str) and values.keys() <= {"env", "optional"}:
        yield values["env"]
