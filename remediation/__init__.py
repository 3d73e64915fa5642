"""The reference endpoint for remediation webhooks: proves a call, does it at most once."""
