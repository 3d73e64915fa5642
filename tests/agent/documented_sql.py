"""The SQL that the documentation tells people to run."""

import re
from pathlib import Path

import agent

DOCUMENT = Path(agent.__file__).parents[1] / "docs" / "agent-databases.md"


def documented_sql(server):
    """Return all statements for ``server`` (postgres, mysql) in their order."""
    blocks = re.findall(rf"```sql {server}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return "".join(blocks)
