import resource
import signal
import stat
import subprocess
import sys

from standardwebhooks import Webhook

from watchkeeper.clock import SystemClock
from watchkeeper.supervisor import secrets


def test_the_webhook_secret_is_one_that_standard_webhooks_takes_and_ours_alone(tmp_path):
    secrets.ensure(tmp_path, {})
    path = tmp_path / "secrets" / "remediation-webhook"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text().strip()
    assert text.startswith("whsec_")
    assert Webhook(text).sign("id", SystemClock().now(), "{}").startswith("v1,")


def test_a_second_start_keeps_the_secrets(tmp_path):
    secrets.ensure(tmp_path, {})
    files = [tmp_path / "secrets/remediation-webhook", tmp_path / "prometheus/secrets/api-token"]
    before = [path.read_text() for path in files]
    secrets.ensure(tmp_path, {})
    assert [path.read_text() for path in files] == before


def test_two_stacks_have_different_secrets():
    assert secrets.webhook_secret() != secrets.webhook_secret()


def test_prometheus_gets_the_token_the_services_ask_for(tmp_path):
    token = tmp_path / "token"
    for value in ("first", "second"):
        token.write_text(f"{value}\n")
        secrets.ensure(tmp_path, {"WATCHKEEPER_API_TOKEN_FILE": str(token)})
        given = tmp_path / "prometheus" / "secrets" / "api-token"
        assert given.read_text().strip() == value


def test_a_disk_that_is_full_at_the_first_start_leaves_no_empty_secret(tmp_path):
    def fill_the_disk():  # as far as the child can tell
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    make = "import sys; from pathlib import Path; from watchkeeper.supervisor import secrets; "
    command = [sys.executable, "-B", "-c", f"{make} secrets.ensure(Path(sys.argv[1]))", tmp_path]
    failed = subprocess.run(  # the child is ours, and what it runs in between is above
        command, preexec_fn=fill_the_disk, check=False, stderr=subprocess.PIPE
    )
    assert failed.returncode != 0
    assert b"OSError" in failed.stderr
    assert list((tmp_path / "secrets").iterdir()) == []
    secrets.ensure(tmp_path, {})
    assert (tmp_path / "secrets" / "remediation-webhook").read_text().startswith("whsec_")


def test_an_empty_secret_is_made_anew(tmp_path):
    path = tmp_path / "secrets" / "remediation-webhook"
    path.parent.mkdir()
    path.touch()
    secrets.ensure(tmp_path, {})
    assert path.read_text().startswith("whsec_")
