"""Arrays with one row a series, that grow as series appear."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)


class Rows(Protocol):
    """Anything that remembers something of every series, a row a slot."""

    def resize(self, slots: int) -> None:
        """Make room for ``slots`` series; rows already there keep what they hold."""

    def forget(self, slots: npt.NDArray[np.intp]) -> None:
        """Return the given slots to the state of a series never seen."""


def resized(rows: npt.NDArray[Scalar], count: int, fill: Any) -> npt.NDArray[Scalar]:
    """Return ``rows`` with ``count`` rows (never fewer than it has), new ones holding ``fill``."""
    missing = count - rows.shape[0]
    if missing <= 0:
        return rows
    added = np.full((missing, *rows.shape[1:]), fill, dtype=rows.dtype)
    return np.concatenate([rows, added])
