"""The published dashboard Node Exporter Full (1860) finds what it asks for.

``node_exporter_full.txt`` lists the metrics: those kept by two public allow-lists made for that
dashboard, and the stalls on interrupts that its newer revisions ask for.
"""

from pathlib import Path

from agent.collectors import OFF_BY_DEFAULT
from watchkeeper.catalogue import every_metric
from watchkeeper.catalogue.document import ROOT
from watchkeeper.catalogue.sources import sources_of_metrics

ASKED_FOR = (Path(__file__).parent / "node_exporter_full.txt").read_text().split()

DOCUMENT = (ROOT / "docs" / "agent-host.md").read_text()

NOT_TOLD = {
    "node_netstat_Tcp_MaxConn": "node_exporter leaves it out by default; Linux always says -1",
    "process_resident_memory_max_bytes": "node_exporter has none either",
    "process_virtual_memory_max_bytes": "the limit of the agent's own address space",
}
"""What it does not find, and why."""


def test_the_dashboard_finds_everything_but_what_is_named():
    assert set(ASKED_FOR) - every_metric().keys() == NOT_TOLD.keys()


def test_the_list_is_in_order_and_says_nothing_twice():
    assert sorted(set(ASKED_FOR)) == ASKED_FOR


def test_what_it_asks_of_collectors_that_do_not_run_by_default_is_told_of_in_the_documentation():
    sources = sources_of_metrics(ROOT)
    needed = {source for name in ASKED_FOR for source in sources.get(name, ())}
    off = {kind for kind in OFF_BY_DEFAULT if f"`{kind}`" in needed}
    assert off
    panels = DOCUMENT.partition("Its panels of ")[2].partition("\n\n")[0]
    assert {kind for kind in off if f"`{kind}`" not in panels} == set()
