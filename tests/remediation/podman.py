"""A container engine of the test's own: a real podman with its storage in a directory."""

import os
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import wait_until

NEEDED = ("podman", "runc", "busybox")

CONFIGURATION = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
static_dir = "{directory}/static"
tmp_dir = "{directory}/tmp"
[network]
network_backend = "netavark"
network_config_dir = "{directory}/networks"
"""


class Engine:
    def __init__(self, directory):
        self.socket = directory / "engine.sock"
        configuration = directory / "containers.conf"
        configuration.write_text(CONFIGURATION.format(directory=directory))
        self._environment = {**os.environ, "CONTAINERS_CONF": str(configuration)}
        self._podman = [
            "podman", "--root", str(directory / "root"), "--runroot", str(directory / "run"),
            "--storage-driver", "vfs",
        ]  # fmt: skip
        self._service = None
        self.run("import", "--change", 'CMD ["/bin/sleep","600"]', _image(directory), "sleeper")

    def run(self, *words):
        done = subprocess.run(
            [*self._podman, *map(str, words)], env=self._environment, capture_output=True,
            text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, name, *options):
        self.run(
            "run",
            "--detach",
            "--network",
            "none",
            "--stop-signal",
            "KILL",
            "--name",
            name,
            *options,
            "sleeper",
        )

    def pid_of(self, name):
        return int(self.run("inspect", "--format", "{{.State.Pid}}", name))

    def serve(self):
        self._service = subprocess.Popen(
            [*self._podman, "system", "service", "--time", "0", f"unix://{self.socket}"],
            env=self._environment, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(self.socket.exists, what="the engine's socket")

    def stop(self):
        self.run("rm", "--force", "--all", "--time", "0")
        if self._service:
            self._service.terminate()
            self._service.wait(60)


def _image(directory):
    """Return an image of one static program, in the form engines import."""
    path = directory / "image.tar"
    with tarfile.open(path, "w") as image:
        image.add(os.path.realpath(shutil.which("busybox")), "bin/busybox")
        for name in ("sleep", "sh", "test"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            image.addfile(link)
    return path


@contextmanager
def running():
    """Yield an engine; its directory has a short name, which podman insists on."""
    directory = Path(tempfile.mkdtemp(prefix="engine-"))
    engine = Engine(directory)
    try:
        engine.serve()
        yield engine
    finally:
        engine.stop()
        wait_until(lambda: _is_removed(directory), what="the engine's directory given back")


def _is_removed(directory):
    """Remove the directory; what containers left behind may still be clearing up inside it."""
    shutil.rmtree(directory, ignore_errors=True)
    return not directory.exists()
