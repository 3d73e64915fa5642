from contextlib import ExitStack

import pytest

from tests.supervisor.stacks import RunningSupervisor, UpCommand


@pytest.fixture
def supervise(tmp_path):
    """Start a supervisor over the given processes; it is stopped when the test ends."""
    with ExitStack() as started:
        yield lambda **processes: started.enter_context(
            RunningSupervisor(tmp_path / "data", **processes).running()
        )


@pytest.fixture
def up(tmp_path):
    """Run ``watchkeeper up`` over the given processes; it is ended when the test ends."""
    with ExitStack() as started:
        yield lambda *arguments, **processes: started.enter_context(
            UpCommand(tmp_path, *arguments, **processes)
        )
