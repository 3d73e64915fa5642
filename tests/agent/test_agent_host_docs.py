"""What the documentation says of the host is so."""

import re
from pathlib import Path

import agent
from agent.collectors import textfile
from tests.agent.test_agent_host_parity import LEFT_OUT, OTHER_LABELS, OURS_ONLY
from watchkeeper.catalogue import every_metric

DOCUMENT = (Path(agent.__file__).parents[1] / "docs" / "agent-host.md").read_text()


def table(heading):
    section = DOCUMENT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| (`.*?) \| (.*?) \|$", section, re.MULTILINE)


def test_every_difference_from_node_exporter_is_told_and_no_other():
    told = {name: why for cell, why in table("Beside node_exporter") for name in cell.split(", ")}
    assert {name.strip("`") for name in told} == {*LEFT_OUT, *OURS_ONLY, *OTHER_LABELS}


def test_every_metric_named_is_in_the_catalogue():
    named = set(
        re.findall(r"`((?:watchkeeper|node|container|namedprocess)_[a-zA-Z0-9_]+)`", DOCUMENT)
    )
    assert named - {"node_exporter"} - set(every_metric()) == set()


def test_every_reason_for_which_a_file_is_not_told_of_is_documented():
    source = Path(textfile.__file__).read_text()
    reasons = {
        *re.findall(r'Unusable\("([a-z_]+)"', source),
        textfile.UNFINISHED,
        textfile.UNREADABLE,
    }
    documented = DOCUMENT.partition("Reasons: ")[2].partition("\n\n")[0]
    assert reasons == set(re.findall(r"`([a-z_]+)`", documented)) - {"max_bytes"}
