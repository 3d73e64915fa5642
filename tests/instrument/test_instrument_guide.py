"""docs/instrument.md says only what is so."""

import re
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from werkzeug.test import Client

from watchkeeper.catalogue import every_metric
from watchkeeper.instrument import Instrumentation

GUIDE = (Path(__file__).parents[2] / "docs" / "instrument.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)
ROWS = re.findall(r"^\| [^|]+ \| ([^|]+) \| `(\w+)` \|$", GUIDE, flags=re.MULTILINE)


def test_the_flask_example_serves_and_measures():
    names = {}
    exec(EXAMPLES[0], names)
    client = Client(names["application"])
    assert client.get("/orders/7", buffered=True).text == "order 7"
    assert 'http_route="/orders/<int:order>"' in client.get("/metrics").text


def test_the_worker_example_serves_its_pages():
    names = {}
    exec(EXAMPLES[1], names)
    assert names["server"].port > 0
    names["server"].close()


@pytest.mark.parametrize(("usage", "metric"), ROWS, ids=[metric for _, metric in ROWS])
def test_each_part_of_the_table_exists_and_exposes_what_it_says(usage, metric):
    (part,) = set(re.findall(r"instrumentation\.(\w+)", usage))
    methods = re.findall(rf"instrumentation\.{part}\.(\w+)\(", usage)
    instrumentation = Instrumentation("shop")
    assert all(callable(getattr(getattr(instrumentation, part), method)) for method in methods)
    assert metric in every_metric()
    described = f"# TYPE {metric} "
    assert described in generate_latest(instrumentation.registry).decode()
