"""What an environment holds when only some of our distributions and extras are installed in it."""

from __future__ import annotations

from importlib.metadata import packages_distributions, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def closure(*roots: str) -> set[str]:
    """Return the distributions that installing ``roots`` (such as ``name[extra]``) brings."""
    found: set[tuple[str, str]] = set()
    pending = [Requirement(root) for root in roots]
    while pending:
        requirement = pending.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) in found:
                continue
            found.add((name, extra))
            pending += [
                needed
                for needed in map(Requirement, requires(name) or [])
                if needed.marker is None or needed.marker.evaluate({"extra": extra})
            ]
    return {name for name, _ in found}


def modules_outside(distributions: set[str]) -> set[str]:
    """Return the top-level modules installed here that ``distributions`` do not bring."""
    return {
        module
        for module, owners in packages_distributions().items()
        if not any(canonicalize_name(owner) in distributions for owner in owners)
    }
