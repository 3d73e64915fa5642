"""The report: what a stretch of time was like, what fixed what, and what to do next."""
