import stat

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
