"""What a third party's score says of the persons table: SDMetrics' quality report, where it is installed.

Source: Patki, Wedge, Veeramachaneni 2016, doi:10.1109/DSAA.2016.49; package sdmetrics. The columns are described in the form of
SDV's metadata. The score looks at columns one by one and two by two and knows neither distances nor days, so it stands
beside our metrics and not among them.
"""

from __future__ import annotations

from typing import Any

COLUMNS = ("sex", "age_band", "worker", "home_zone", "work_zone")
ABSENT = "sdmetrics is not installed: its score is left out, install synthmob[sdv] to have it"


def quality(truth: Any, synthetic: Any) -> dict[str, float] | None:
    """Overall score, column shapes and column pair trends of two persons tables (pandas), 1 is best; None without sdmetrics."""
    try:
        from sdmetrics.reports import QualityReport
    except ImportError:
        return None
    shared = [c for c in COLUMNS if c in truth.columns and c in synthetic.columns]
    columns = {"person_id": {"sdtype": "id"}, **{c: {"sdtype": "categorical"} for c in shared}}
    metadata = {
        "METADATA_SPEC_VERSION": "V2", "relationships": [],
        "tables": {"persons": {"primary_key": "person_id", "columns": columns}}}
    real, made = ({"persons": table[["person_id", *shared]]} for table in (truth, synthetic))
    report: Any = QualityReport()
    report.generate(real, made, metadata, verbose=False)
    parts = report.get_properties()
    named = {str(p).lower().replace(" ", "_"): float(s) for p, s in zip(parts["Property"], parts["Score"], strict=True)}
    return {"overall": float(report.get_score()), **named}
