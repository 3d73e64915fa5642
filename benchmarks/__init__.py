"""Everything that prints a number we publish: ``python -m benchmarks.NAME [--quick] [--json FILE]``."""
