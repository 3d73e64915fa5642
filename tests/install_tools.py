"""Installs what the tests drive beside Prometheus, where the system's packages have it.

Run by setup.sh. A machine without it can still run the stack, so this never fails a set-up; the
tests that need one of them say so themselves.
"""

import shutil

import click

from watchkeeper.errors import UpstreamError
from watchkeeper.supervisor import debian

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser() -> str | None:
    """Return the path of an installed browser of Chromium's kind, or None."""
    found = (shutil.which(name) for name in BROWSERS)
    return next((path for path in found if path), None)


def main() -> None:
    """Install what is missing where we may, and say where it is."""
    if browser() is None and debian.may_install():
        click.echo("Chromium: installing the system's package (for the console's tests)")
        try:
            debian.install("chromium")
        except UpstreamError as error:
            click.echo(f"Chromium could not be installed: {error}", err=True)
    click.echo(
        f"Chromium: {browser() or 'none; only the tests of the console in a browser need it'}"
    )
    if shutil.which("haproxy") is None and debian.may_install():
        click.echo("HAProxy: installing the system's package (for the tests of remediation)")
        try:
            debian.install("haproxy", services=("haproxy",))
        except UpstreamError as error:
            click.echo(f"HAProxy could not be installed: {error}", err=True)
    click.echo(f"HAProxy: {shutil.which('haproxy') or 'none; its tests are left out'}")


if __name__ == "__main__":
    main()
