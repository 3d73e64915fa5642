"""The words of the demo's tasks: what the load writes into titles and searches for."""

from __future__ import annotations

VERBS = ("call", "check", "draft", "file", "mend", "order", "review", "send")
WORDS = ("contract", "delivery", "invoice", "minutes", "offer", "poster", "report", "visa")
