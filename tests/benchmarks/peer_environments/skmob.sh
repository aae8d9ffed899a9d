#!/usr/bin/env bash
# An environment for scikit-mobility 1.3.1, which pins libraries of 2022: `bash tests/benchmarks/peer_environments/skmob.sh FOLDER`.
# Its own pins would compile an old igraph for ten minutes, so it is installed without them, and what it uses beside it.
set -euo pipefail
uv venv -q --python 3.11 "$1"
cd "$1"  # away from this project's own pins
uv pip install -q --python bin/python pandas==1.5.3 numpy==1.26.4 shapely==1.8.5.post1 geopandas==0.10.2 'fiona<1.10' 'h3<4' \
  'igraph>=0.10' folium geojson powerlaw pyproj requests scikit-learn statsmodels tqdm pooch 'setuptools<81'
uv pip install -q --python bin/python --no-deps scikit-mobility==1.3.1
bin/python -W ignore -c "from skmob.models.epr import Ditras, DensityEPR"
