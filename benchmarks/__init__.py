"""What we publish in numbers: ``python -m benchmarks.NAME [--quick] [--json FILE]``."""
