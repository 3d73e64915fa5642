"""What a forked worker inherits: the parent's counts, which are not its own.

A server that loads the application before it forks (gunicorn's ``preload_app``, Celery prefork)
hands every worker a copy of all that the parent counted. Were each worker to report that, it would
be counted once a worker. So the counts are noted just before each fork, when no thread of the
parent can hold a lock that the child would wait for, and the child leaves them out.
"""

from __future__ import annotations

import os
import weakref

from prometheus_client import CollectorRegistry

from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.multiprocess.report import SeriesName
from watchkeeper.instrument.multiprocess.snapshot import take

Inherited = dict[SeriesName, float]

_guards: weakref.WeakKeyDictionary[CollectorRegistry, Guard] = weakref.WeakKeyDictionary()
_before_fork: weakref.WeakKeyDictionary[CollectorRegistry, Inherited] = weakref.WeakKeyDictionary()
_inherited: weakref.WeakKeyDictionary[CollectorRegistry, Inherited] = weakref.WeakKeyDictionary()


def note_before_forks(registry: CollectorRegistry, guard: Guard) -> None:
    """Note what ``registry`` has counted before each fork from now on; failures go to ``guard``."""
    _guards[registry] = guard


def inherited_counts(registry: CollectorRegistry) -> Inherited:
    """Return what of ``registry`` the parent had counted; nothing in a process that is none's."""
    return _inherited.get(registry, {})


def _note() -> None:
    _before_fork.clear()
    for registry, guard in list(_guards.items()):
        with guard.around("multiprocess"):
            _before_fork[registry], _ = take(registry, {})


def _inherit() -> None:
    for registry, counts in _before_fork.items():
        _inherited[registry] = counts


os.register_at_fork(before=_note, after_in_parent=_before_fork.clear, after_in_child=_inherit)
