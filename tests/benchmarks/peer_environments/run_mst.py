"""MST of dpmm on whole numbers, run by peers.py in dpmm's own environment: IN.csv DOMAIN.json OUT.csv EPSILON DELTA N STEPS."""

import json
import sys
from pathlib import Path

import pandas as pd
from dpmm.models.mst import MSTGM

given, sizes, out, epsilon, delta, n, steps = sys.argv[1:]
table = pd.read_csv(given)
known = json.loads(Path(sizes).read_text())
model = MSTGM(epsilon=float(epsilon), delta=float(delta), n_iters=int(steps))
model.set_domain(domain=known)
model.check_fit(table)
model.fit(table)
model.generate(n_records=int(n)).astype("int64").to_csv(out, index=False)
