"""A researcher's first five lines in each of four tools, run from the folder of the dataset; tests run them as they stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Start:
    """Lines of code: the tool, the language that Markdown shall colour, and what the lines show."""

    tool: str
    language: str
    shows: str
    code: str


PANDAS = Start("pandas", "python", "the share of stays of each purpose, by day, for workers and others", """\
import pandas as pd
persons, stays = pd.read_parquet("persons.parquet"), pd.read_parquet("stays")
dated = stays.merge(pd.read_parquet("calendar.parquet"), on="day").merge(persons, on="person_id")
shares = dated.groupby(["date", "worker"])["purpose"].value_counts(normalize=True).unstack()
print(shares.round(3))
""")
DUCKDB = Start("DuckDB", "python", "the ten largest flows between districts in the morning", """\
import duckdb
zones = "SELECT zone_id, district_id FROM 'zones.parquet'"
flows = f\"\"\"SELECT o.district_id AS origin, d.district_id AS destination, count(*) AS trips FROM 'trips/*.parquet' t
  JOIN ({zones}) o ON o.zone_id = origin_zone JOIN ({zones}) d ON d.zone_id = destination_zone WHERE depart_min BETWEEN 420 AND 599\"\"\"
print(duckdb.sql(f"{flows} GROUP BY ALL ORDER BY trips DESC LIMIT 10"))
""")
GEOPANDAS = Start("geopandas", "python", "the zones with the most stays for each resident", """\
import geopandas, pandas as pd
zones = geopandas.read_parquet("zones.parquet").set_index("zone_id")
zones["residents"] = pd.read_parquet("persons.parquet")["home_zone"].value_counts()
zones["stays"] = pd.read_parquet("stays", columns=["zone_id"])["zone_id"].value_counts()
print(zones.assign(by_resident=zones["stays"] / zones["residents"]).nlargest(5, "by_resident").drop(columns=["merged_ids"]))
""")
R_SHOWS = ("when trips of each purpose begin (`pip install duckdb-cli` brings the command; with the R package arrow read them with "
           '`trips <- as.data.frame(dplyr::collect(arrow::open_dataset("trips")))` instead)')  # fmt: skip
R = Start("R", "r", R_SHOWS, """\
rows <- pipe("duckdb -csv -c \\"SELECT depart_min, purpose FROM 'trips/*.parquet'\\"")
trips <- read.csv(rows)
trips$hour <- trips$depart_min %/% 60
counts <- table(trips$hour, trips$purpose)
print(round(prop.table(counts, margin = 2), 3))
""")
STARTS = (PANDAS, DUCKDB, GEOPANDAS, R)
