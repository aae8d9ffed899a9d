"""What fitting dpmm's MST takes, run by fit.py in dpmm's own environment: GIVEN.csv DOMAIN.json EPSILON DELTA.

The clock starts when the rows are in memory. Prints JSON: CPU seconds of this process and of those that it starts, on the wall, and the
peak memory of this one.
"""

import json
import resource
import sys
import time
from pathlib import Path

import pandas as pd
from dpmm.models.mst import MSTGM

given, sizes, epsilon, delta = sys.argv[1:]


def cpu_s():
    """CPU seconds of this process and of those that it has waited for."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


table = pd.read_csv(given)
model = MSTGM(epsilon=float(epsilon), delta=float(delta))
model.set_domain(domain=json.loads(Path(sizes).read_text()))
wall, cpu = time.perf_counter(), cpu_s()
model.check_fit(table)
model.fit(table)
peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 2**20
print(json.dumps({"cpu": cpu_s() - cpu, "wall": time.perf_counter() - wall, "peak": peak}))
