"""Collectors whose behaviour a test decides, and what tests read from a page."""

from __future__ import annotations

import threading

from prometheus_client.parser import text_string_to_metric_families

from agent.collector import CollectionFailed
from agent.family import single
from agent.recipe import Recipe
from watchkeeper.catalogue.metric import gauge
from watchkeeper.errors import Reason

PROBES = {
    "steady": "tests.agent.probes:Steady",
    "hanging": "tests.agent.probes:Hanging",
    "hanging-server": "tests.agent.probes:HangingServer",
    "failing": "tests.agent.probes:Failing",
    "broken": "tests.agent.probes:Broken",
    "scripted": "tests.agent.probes:Scripted",
    "many": "tests.agent.probes:Many",
}


class Steady:
    """Brings the number of its runs."""

    def __init__(self, name="steady"):
        self.metric = gauge(f"probe_{name}_runs", "Runs so far.")
        self.runs = 0

    def collect(self):
        self.runs += 1
        yield single(self.metric, self.runs)

    def close(self):
        pass


class Hanging:
    """Runs ``good_runs`` times, then hangs until the test lets go."""

    release = threading.Event()

    def __init__(self, good_runs=0):
        self.good_runs = good_runs

    def collect(self):
        if self.good_runs == 0:
            Hanging.release.wait()
        self.good_runs -= 1
        yield single(gauge("probe_hanging", "Whether it ran."), 1)

    def close(self):
        pass


class HangingServer(Hanging):
    """Hangs in asking a server."""

    def when_silent(self):
        return [single(gauge("probe_up", "Whether it answers."), 0)]


class Failing:
    """Fails with something to say."""

    def __init__(self, families=1):
        self.metric = gauge("probe_up", "Whether it answers.", ("n",))
        self.families = families

    def collect(self):
        down = [single(self.metric, 0, (str(n),)) for n in range(self.families)]
        raise CollectionFailed("it is down", reason=Reason.CONNECTION, families=down)

    def close(self):
        pass


class Broken:
    """Raises what nobody foresaw."""

    def collect(self):
        raise ZeroDivisionError("a bug")

    def close(self):
        pass


class Scripted:
    """Does in each run what ``script`` says, and brings the number of the run."""

    script = ()

    def __init__(self):
        self.runs = 0

    def collect(self):
        self.runs += 1
        Scripted.script[self.runs - 1]()
        yield single(gauge("probe_scripted_run", "Which run it is."), self.runs)

    def close(self):
        pass


class Many:
    """Brings a flood of series."""

    def collect(self):
        metric = gauge("probe_many", "One of many.", ("n",))
        for n in range(100):
            yield single(metric, n, (str(n),))

    def close(self):
        pass


def recipe(
    kind,
    *,
    name=None,
    interval_seconds=0.05,
    deadline_seconds=5.0,
    max_series=50,
    lane=None,
    **arguments,
):
    name = name or kind
    return Recipe(
        name, kind, arguments, interval_seconds, deadline_seconds, max_series, lane or name
    )


class Page:
    """One exposition, read as Prometheus would."""

    def __init__(self, body: bytes):
        self.text = body.decode()
        self.families = {f.name: f for f in text_string_to_metric_families(self.text)}
        self.samples = [sample for f in self.families.values() for sample in f.samples]

    def value(self, name, /, **labels):
        """The value of the one series of that name and those labels, or None."""
        # The parser adds _total to counters whose exporter named them without.
        found = [
            sample.value
            for sample in self.samples
            if sample.name in (name, f"{name}_total") and labels.items() <= sample.labels.items()
        ]
        assert len(found) <= 1, f"{name}{labels} is not one series"
        return found[0] if found else None

    def labels(self, name):
        return [sample.labels for sample in self.samples if sample.name == name]
