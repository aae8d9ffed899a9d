"""All formats by name."""

from __future__ import annotations

from synthmob.export.exporter import Exporter
from synthmob.export.flowkit import FLOWKIT
from synthmob.export.gis import GIS
from synthmob.export.kepler import KEPLER
from synthmob.export.matsim import MATSIM
from synthmob.export.omx import OMX
from synthmob.export.postgis import POSTGIS
from synthmob.export.skmob import SKMOB
from synthmob.export.sumo import SUMO
from synthmob.export.trackintel import TRACKINTEL

FORMATS = (FLOWKIT, GIS, KEPLER, MATSIM, OMX, POSTGIS, SKMOB, SUMO, TRACKINTEL)
EXPORTERS: dict[str, Exporter] = {exporter.name: exporter for exporter in FORMATS}
