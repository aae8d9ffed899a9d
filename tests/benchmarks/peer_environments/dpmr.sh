#!/usr/bin/env bash
# An environment for dp_mobility_report, with libraries of its time: `bash tests/benchmarks/peer_environments/dpmr.sh FOLDER`.
# With today's it installs and cannot be imported: scikit-learn 1.9 has no sklearn.tree._tree.DOUBLE, pandas 3 no ExpandingGroupby.
set -euo pipefail
uv venv -q --python 3.11 "$1"
cd "$1"  # away from this project's own pins
uv pip install -q --python bin/python dp-mobility-report==0.2.11 'scikit-learn<1.4' 'pandas<2.2' 'numpy<2'
