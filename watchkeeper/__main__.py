"""``python -m watchkeeper``: the command without needing its script on PATH."""

from watchkeeper.cli import main

main()
