"""Calls as alerting makes them: Standard Webhooks, signed."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import timedelta

from standardwebhooks import Webhook

from watchkeeper.clock import SystemClock, format_rfc3339

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"another key of the proper length").decode()


def body(**data):
    """Return the body of a call; every field can be given."""
    fields = {
        "action": "clear-cache",
        "target": "shop",
        "parameters": {},
        "incident": {"id": "incident-1", "title": "Shop is slow", "url": ""},
        "alerts": [],
        "idempotency_key": str(uuid.uuid4()),
        "fencing_token": 1,
        "expires_at": format_rfc3339(SystemClock().now() + timedelta(minutes=5)),
        "dry_run": False,
        **data,
    }
    stamp = format_rfc3339(SystemClock().now())
    return json.dumps({"type": "remediation.action", "timestamp": stamp, "data": fields})


def headers(text, *, secret=SECRET, sent_at=None, message_id="msg_1"):
    """Return the signed headers for a body."""
    sent_at = sent_at or SystemClock().now()
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, sent_at, text),
    }
