"""Scores written to a Prometheus with the times of the samples they judge."""
