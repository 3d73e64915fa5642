#!/usr/bin/env bash
# Makes the virtual environment and installs everything that up, test and the benchmarks need.
# Usage: setup.sh [PYTHON] [VENV]
set -euo pipefail
python=${1:-python3}
venv=${2:-.venv}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Watchkeeper needs Python 3.11 or newer; $python is $("$python" --version 2>&1)." >&2
  echo "Name another one: make setup PYTHON=/path/to/python3.11" >&2
  exit 1
fi

echo "[1/3] virtual environment in $venv"
"$python" -m venv "$venv"
echo "[2/3] installing packages (a minute or two the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --prefer-binary \
  --constraint constraints.txt \
  --editable './watchkeeper[kernel]' \
  --editable './examples/taskboard[servers]' \
  --editable '.[all,dev]'
echo "[3/3] Prometheus and what the tests drive"
"$venv/bin/python" -m watchkeeper.supervisor.prometheus_binary
PYTHONPATH=. "$venv/bin/python" tests/install_tools.py
