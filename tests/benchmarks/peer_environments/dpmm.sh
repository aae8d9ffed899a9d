#!/usr/bin/env bash
# An environment for dpmm, which pins numpy 1.26: `bash tests/benchmarks/peer_environments/dpmm.sh FOLDER`.
set -euo pipefail
uv venv -q --python 3.11 "$1"
cd "$1"  # away from this project's own pins
uv pip install -q --python bin/python dpmm==0.1.9 numpy==1.26.4
