"""What the tests of task hooks read from a registry or a worker's page."""

import re
import urllib.request


def value(registry, name, **labels):
    """The sum of the series of that name and those labels; 0 when there are none."""
    return sum(
        sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def value_of(page, name, **labels):
    """The same from the text of a page."""
    found = 0.0
    for line in page.splitlines():
        match = re.match(rf"{name}(?:{{(.*)}})? (\S+)$", line)
        if match and labels.items() <= dict(re.findall(r'(\w+)="([^"]*)"', match[1] or "")).items():
            found += float(match[2])
    return found


def page_at(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()
