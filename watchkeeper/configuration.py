"""YAML configuration: validated whole, with every problem named by file, line and key.

A file is read once into nodes that remember their lines, ``${NAME}`` and ``${NAME:-default}`` are
filled from the environment, and the result is validated by a pydantic model derived from
``Settings`` (unknown keys are refused). Secrets never stand in the file: a ``Secret`` is written as
``{env: NAME}`` or ``{file: PATH}`` and is read when the file is loaded.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Hashable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from watchkeeper.errors import ConfigError, Problem
from watchkeeper.stamp import Stamp, stamp_of
from watchkeeper.watched import Watched

Key = tuple[str | int, ...]

_PLACEHOLDER = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_DURATION_PART = re.compile(r"(?P<count>\d+)(?P<unit>ms|s|m|h|d|w)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


MAX_FILE_BYTES = 1 << 20
"""Ten times any real file; what is larger is a log or a dump, and would take minutes to read."""

MAX_NODES = 100_000
"""Values in one file, aliases counted each time: far above any real file, far below our memory."""


class Settings(BaseModel):
    """Base of every configuration model: frozen, strict about unknown keys, every number finite."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )


def parse_duration_seconds(value: object) -> object:
    """Turn ``90s``, ``1h30m`` or ``250ms`` (Prometheus' spelling) into seconds.

    Numbers pass through as seconds; anything else is left for pydantic to refuse.
    """
    if isinstance(value, timedelta):
        return value.total_seconds()
    if not isinstance(value, str):
        return value
    parts = list(_DURATION_PART.finditer(value))
    if not parts or "".join(part.group(0) for part in parts) != value:
        raise ValueError(f"expected a duration such as 30s, 5m or 1h30m, got {value!r}")
    # As floats: a count of 400 digits is then infinite, which the model refuses, not an overflow.
    return sum(float(part["count"]) * _UNIT_SECONDS[part["unit"]] for part in parts)


DurationSeconds = Annotated[float, BeforeValidator(parse_duration_seconds)]
"""Seconds as a float, written in YAML as ``30s``, ``5m``, ``1h30m`` or a number."""


class Secret(Settings):
    """A value that stands outside the file: ``{env: NAME}`` or ``{file: PATH}``.

    With ``optional: true`` an unset variable or missing file gives an empty secret instead of an
    error; whatever needs it is then switched off. The value never appears in ``repr`` or errors.
    """

    env: str | None = None
    file: Path | None = None
    optional: bool = False
    _value: str = PrivateAttr("")
    _stamp: Stamp = PrivateAttr(Stamp())

    @model_validator(mode="before")
    @classmethod
    def _refuse_literals(cls, data: object) -> object:
        if isinstance(data, str):
            raise ValueError(  # noqa: TRY004  # pydantic turns ValueError, not TypeError, into a problem
                "a secret is not written in the file; expected {env: NAME} or {file: PATH}"
            )
        return data

    @model_validator(mode="after")
    def _read(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("expected exactly one of env and file")
        self._value = self._from_env() if self.env is not None else self._from_file()
        return self

    def _from_env(self) -> str:
        value = os.environ.get(self.env or "", "")
        if not value and not self.optional:
            raise ValueError(f"environment variable {self.env} is not set")
        return value

    def _from_file(self) -> str:
        assert self.file is not None  # noqa: S101  # narrows the type: _read checked it
        self._stamp = stamp_of(self.file)
        try:
            value = self.file.read_text(encoding="utf-8").strip()
            mode = self.file.stat().st_mode
        except FileNotFoundError:
            if self.optional:
                return ""
            raise self._unusable("does not exist") from None
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(f"cannot be read: {error}") from None
        if mode & stat.S_IWOTH:
            raise self._unusable("can be written by anyone; chmod o-w it")
        if not value and not self.optional:
            raise self._unusable("is empty")
        return value

    def _unusable(self, why: str) -> ProblemAt:
        assert self.file is not None  # noqa: S101  # narrows the type: _read checked it
        return ProblemAt(f"secret file {self.file} {why}", leans_on={self.file: self._stamp})

    @property
    def stamp(self) -> Stamp:
        """The stamp of its file just before it was read; that of no file for a variable."""
        return self._stamp

    def reveal(self) -> str:
        """Return the secret itself; call it only where the value leaves for its destination."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__


def secret_files(settings: Settings) -> dict[Path, Stamp]:
    """Return the files that secrets of settings are in, each as it was before it was read."""
    return {one.file: one.stamp for one in secrets_in(settings) if one.file is not None}


def secrets_in(value: object) -> Iterator[Secret]:
    """Yield every secret in settings, however deep it stands."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Settings):
        for name in type(value).model_fields:
            yield from secrets_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from secrets_in(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from secrets_in(entry)


class ProblemAt(ValueError):  # noqa: N818  # it names where the problem is
    """What a model's validator raises to name the key that is wrong, from the model's own root.

    ``leans_on`` has the files that it is wrong with, each as it was just before it was read.
    """

    def __init__(
        self, message: str, *path: str | int, leans_on: Mapping[Path, Stamp] | None = None
    ) -> None:
        super().__init__(message)
        self.path: Key = path
        self.leans_on = leans_on or {}


Model = TypeVar("Model", bound=Settings)


class _Lines:
    """The line of each key and value, by path from the root of the file."""

    def __init__(self) -> None:
        self._by_path: dict[Key, int] = {}

    def note(self, path: Key, line: int) -> None:
        self._by_path[path] = line

    def note_first(self, path: Key, line: int) -> None:
        self._by_path.setdefault(path, line)

    def nearest(self, path: Key) -> int:
        """Return the 1-based line of ``path``, or of the closest parent that stands in the file."""
        while path and path not in self._by_path:
            path = path[:-1]
        return self._by_path.get(path, 1)

    def standing(self, path: Key) -> Key:
        """Return ``path`` without the parts that only the model knows, such as a union's tag."""
        found: Key = ()
        for part in path[:-1]:
            found = (*found, part) if (*found, part) in self._by_path else found
        return (*found, *path[-1:])


class _Reader:
    """Builds plain data from a YAML node tree and notes the line of every path.

    What YAML allows and no configuration needs (keys that are lists, values that hold themselves,
    aliases that multiply without end) becomes a problem at its line.
    """

    def __init__(self, file: str, environment: Mapping[str, str]) -> None:
        self.file = file
        self.environment = environment
        self.lines = _Lines()
        self.problems: list[Problem] = []
        self._constructor = yaml.SafeLoader("")
        self._open_nodes: set[int] = set()
        self._nodes_read = 0

    def read(self, node: yaml.Node, path: Key = ()) -> Any:
        self._nodes_read += 1
        if self._nodes_read > MAX_NODES:
            raise ConfigError([self._problem(node, path, f"more than {MAX_NODES} values")])
        if id(node) in self._open_nodes:
            return self._refuse(node, path, "holds itself through an alias")
        self.lines.note_first(path, node.start_mark.line + 1)
        self._open_nodes.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.read(child, (*path, at)) for at, child in enumerate(node.value)]
            return self._scalar(node, path)
        finally:
            self._open_nodes.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: Key) -> dict[Hashable, Any]:
        self._constructor.flatten_mapping(node)
        result: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, path, "a key is text, not a list or mapping")
                continue
            key = self._construct(key_node, path)
            child: Key = (*path, key if isinstance(key, int) else str(key))
            if key in result:
                self._refuse(key_node, child, "written twice")
            self.lines.note(child, key_node.start_mark.line + 1)
            result[key] = self.read(value_node, child)
        return result

    def _scalar(self, node: yaml.Node, path: Key) -> Any:
        if not (isinstance(node.value, str) and "${" in node.value):
            return self._construct(node, path)
        filled = _PLACEHOLDER.sub(lambda match: self._fill(match, path, node), node.value)
        if node.style in ("'", '"'):  # type: ignore[attr-defined]
            return filled
        resolved = self._constructor.resolve(  # type: ignore[no-untyped-call]  # PyYAML's own
            yaml.ScalarNode, filled, (True, False)
        )
        return self._construct(
            yaml.ScalarNode(resolved, filled, node.start_mark, node.end_mark), path
        )

    def _construct(self, node: yaml.Node, path: Key) -> Any:
        try:
            return self._constructor.construct_object(node)
        except Exception as error:  # noqa: BLE001  # PyYAML's constructors raise whatever they trip over
            kind = node.tag.rpartition(":")[2]
            return self._refuse(node, path, f"not a readable {kind} ({error})")

    def _refuse(self, node: yaml.Node, path: Key, message: str) -> None:
        self.problems.append(self._problem(node, path, message))

    def _problem(self, node: yaml.Node, path: Key, message: str) -> Problem:
        return Problem(self.file, node.start_mark.line + 1, _dotted(path), message)

    def _fill(self, match: re.Match[str], path: Key, node: yaml.Node) -> str:
        value = self.environment.get(match["name"])
        if value is not None:
            return value
        if match["default"] is not None:
            return match["default"]
        self._refuse(
            node, path, f"environment variable {match['name']} is not set and has no default"
        )
        return ""


def load(path: Path, model: type[Model], environment: Mapping[str, str] | None = None) -> Model:
    """Return ``path`` validated as ``model``.

    Args:
        path: a YAML file. An empty file means all defaults.
        model: what it must hold.
        environment: fills ``${NAME}``; the process' own by default.

    Raises:
        ConfigError: listing every problem with its file, line, key and what was expected.
    """
    try:
        return _loaded(path, model, os.environ if environment is None else environment)
    except ConfigError:
        raise
    except Exception as error:
        # A validator that trips is a flaw of ours; whoever follows the file must not fall with it.
        message = f"cannot be checked: {type(error).__name__}: {error}"
        raise ConfigError([Problem(str(path), 1, "", message)]) from error


def _loaded(path: Path, model: type[Model], environment: Mapping[str, str]) -> Model:
    name = str(path)
    try:
        text = _text_of(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(name, 1, "", f"cannot be read: {error}")]) from None
    reader = _Reader(name, environment)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = reader.read(node) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        raise ConfigError([_syntax_problem(name, error)]) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError([Problem(name, 1, "", f"not valid YAML: {error}")]) from None
    except RecursionError:
        raise ConfigError([Problem(name, 1, "", "lists or mappings nested too deeply")]) from None
    problems = reader.problems
    try:
        settings = model.model_validate(data)
    except ValidationError as error:
        problems += [_validation_problem(name, reader.lines, detail) for detail in error.errors()]
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: problem.line))
    return settings


def _text_of(path: Path) -> str:
    """Return the text of a file of ours; OSError for what would block, or hold us up too long."""
    # Without O_NONBLOCK a named pipe would keep us until somebody writes to it.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("expected an ordinary file")
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise OSError(f"expected at most {MAX_FILE_BYTES >> 20} MiB")
    return content.decode("utf-8")


def line_of(path: Path, key: str) -> int | None:
    """Return the line of a dotted mapping key in a file that was loaded; None when not there.

    For problems that are seen only when several files, or several keys, are put together.
    """
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    line = None
    for part in key.split("."):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = next((pair for pair in pairs if pair[0].value == part), None)
        if found is None:
            return None
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def _syntax_problem(file: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    return Problem(file, line, "", f"not valid YAML: {error.problem or error.context}")


def _validation_problem(file: str, lines: _Lines, detail: Any) -> Problem:
    cause = detail.get("ctx", {}).get("error")
    within = cause.path if isinstance(cause, ProblemAt) else ()
    files = cause.leans_on if isinstance(cause, ProblemAt) else {}
    path = lines.standing((*detail["loc"], *within))
    message = _in_yaml_words(str(detail["msg"]).removeprefix("Value error, "))
    if detail["type"] == "extra_forbidden":
        message = "unknown key; expected one of the documented keys"
    elif detail["type"] == "missing":
        message = "missing; a value is expected here"
    leans_on = tuple((str(other), stamp) for other, stamp in files.items())
    return Problem(file, lines.nearest(path), _dotted(path), message, leans_on)


_OR_MODEL = re.compile(r" or instance of \w+")
"""What pydantic expects besides a mapping, and no file can hold."""


def _in_yaml_words(message: str) -> str:
    """Say what was expected as whoever writes YAML knows it, not as Python's types are called."""
    message = message.replace("Input should be", "expected", 1)
    for python, yaml_word in (("tuple", "list"), ("dictionary", "mapping"), ("string", "text")):
        message = message.replace(f"a valid {python}", f"a {yaml_word}")
    return _OR_MODEL.sub("", message)


def _dotted(path: Key) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


class WatchedFile(Watched[Model]):
    """A configuration file that, or a secret of which, may change while the service runs."""

    def __init__(
        self,
        path: Path,
        model: type[Model],
        *,
        on_reload: Callable[[ConfigError | None], None] = lambda _problem: None,
    ) -> None:
        super().__init__(
            path, lambda file: load(file, model), leans_on=secret_files, on_reload=on_reload
        )
