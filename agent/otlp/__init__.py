"""Pushing what is collected to an OpenTelemetry receiver, in place of being scraped.

What is pushed goes through a bounded buffer on disk, so that an absent receiver, a restart or a
kill loses nothing that fits. OpenTelemetry's own exporter keeps nothing and does not say when a
receiver asks to be left alone, so only the messages are theirs.
"""
