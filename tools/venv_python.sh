#!/bin/bash
# Runs a Python script of the repository: see py_test.bzl.
#   venv_python.sh SCRIPT [ARGUMENT...]
set -euo pipefail

python="${HYBRIDSERVE_PYTHON:-$HYBRIDSERVE_VENV_PYTHON}"
if [[ ! -x "$python" ]]; then
  echo "no Python interpreter at $python: run tools/setup.sh," \
    "or set HYBRIDSERVE_PYTHON" >&2
  exit 1
fi
PYTHONPATH="$PWD" PYTHONDONTWRITEBYTECODE=1 exec "$python" "$@"
