"""Reading the rows of a table that others have published, and fitting published age bands to ours."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synthmob import folders, parquetfiles
from synthmob.domain import Axis
from synthmob.errors import FormatError

if TYPE_CHECKING:
    import pandas as pd

COUNTS = ("n", "count")
MAX_BYTES = 512 << 20
_BOUNDS = parquetfiles.Bounds(columns=1_000, page_bytes=64 << 20, unpacked_bytes=MAX_BYTES)
OPEN_AGE = 200
"""Where an open age band ends."""
_AGES = re.compile(
    r"(?:ages?\s*)?(?P<low>\d{1,3})(?:\s*(?:to|-|\u2013)\s*(?P<high>\d{1,3})|\s*(?P<open>\+|and over|or over|or "
    "more))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Rows:
    """The rows of one table: per axis the label of each row as text, and the counts as they stand there."""

    labels: dict[str, list[str]]
    counts: Any


def rows(
    name: str, data: pd.DataFrame | str | Path, axes: Sequence[str], needed: Sequence[str], columns: Mapping[str, str]
) -> Rows:
    """The rows of a DataFrame, CSV or Parquet file; `columns` maps our names (an axis, or n) to theirs.

    Axes that are not `needed` may be absent; other columns are not looked at.
    """
    frame, where = read_frame(name, data)
    if strange := sorted(set(columns) - {*axes, *COUNTS}):
        raise FormatError(f"Table {name!r} has no {strange[0]!r} to give a column to: it has {', '.join(axes)} and n.")
    if lost := sorted(set(columns.values()) - set(frame.columns)):
        raise FormatError(f"{where} has no column {lost[0]!r}: it has {', '.join(map(str, frame.columns[:12]))}.")
    theirs = {ours: columns.get(ours, ours) for ours in (*axes, *COUNTS)}
    count = [c for c in COUNTS if theirs[c] in frame.columns]
    present = [axis for axis in axes if theirs[axis] in frame.columns]
    if not count or not present or set(needed) - set(present):
        raise FormatError(
            f"{where} has the columns {', '.join(map(str, frame.columns[:12]))}: table {name!r} needs "
            f"{', '.join(needed or axes)} and n, name their columns with `columns`."
        )
    if not len(frame):
        raise FormatError(f"{where} has no row: table {name!r} needs one for every published cell.")
    labels = {axis: [str(label).strip() for label in frame[theirs[axis]].tolist()] for axis in present}
    seen: set[tuple[str, ...]] = set()
    for row, cell in enumerate(zip(*labels.values(), strict=True), start=1):
        if cell in seen:
            raise FormatError(
                f"{where} has the cell {', '.join(cell)} a second time in row {row}: add such rows up first."
            )
        seen.add(cell)
    return Rows(labels, frame[theirs[count[0]]])


def codes(name: str, axis: Axis, labels: Sequence[str], other_words: Mapping[str, str]) -> npt.NDArray[np.int64]:
    """The axis code of every label; FormatError with the row of one that the public axis does not have."""
    out = np.empty(len(labels), dtype=np.int64)
    for row, label in enumerate(labels):
        try:
            out[row] = axis.code(other_words.get(label, label))
        except KeyError:
            raise FormatError(
                f"Table {name!r} has {axis.name} {label[:60]!r} in row {row + 1}, none of its {axis.size} labels "
                f"{', '.join(axis.labels[:6])} ...: use the ids of the zoning and the categories of the domain."
            ) from None
    return out


def counts(name: str, table: Rows, threshold: float) -> npt.NDArray[np.float64]:
    """The people of every row; FormatError for one that is not a number or lies under the threshold.

    At a threshold of 1 nothing is hidden, and a row of 0 is only the empty cell that it says it is.
    """
    import pandas as pd

    values: npt.NDArray[np.float64] = np.asarray(pd.to_numeric(table.counts, errors="coerce"), dtype=np.float64)
    for row in np.flatnonzero(~np.isfinite(values) | (values < 0)):
        raise FormatError(
            f"Table {name!r} has the count {table.counts.iloc[row]!r} in row {row + 1}: leave a hidden cell's row out."
        )
    for row in np.flatnonzero((values < threshold) & ~((threshold <= 1) & (values == 0))):
        raise FormatError(
            f"Table {name!r} prints {values[row]:g} people in row {row + 1} under its threshold of {threshold:g}: "
            "it does not keep it, remove such rows or state the true threshold."
        )
    return values


def bands_from_ages(
    table: pd.DataFrame, *, area: str, bands: Sequence[str], merge: Mapping[str, Sequence[str]] | None = None
) -> pd.DataFrame:
    """Residents by area and our age bands (home, age_band, n), from a census table with a column per published band.

    Columns named like 'Age 16 to 17', 'Age 15', 'Age 90 and over' or '20-24' are read, other columns are not. A
    published band that spans several of ours is split as if every year of age in it held the same number of people,
    each area's total kept to the person. Years that no band of ours holds are dropped, so `bands` without '0-15' leaves
    children out. `merge` gives the rows that are added up to one area: {"Westminster+City of London": ("Westminster",
    "City of London")}.

    >>> import pandas as pd
    >>> census = pd.DataFrame({"district": ["A"], "Age 15": [5], "Age 16 to 17": [4], "Age 18 to 29": [12]})
    >>> bands_from_ages(census, area="district", bands=("16-24", "25-34")).values.tolist()
    [['A', '16-24', 11], ['A', '25-34', 5]]
    """
    import pandas as pd

    published = {str(c): ages for c in table.columns if c != area and (ages := ages_of(str(c))) is not None}
    ours = {band: ages for band in bands if (ages := ages_of(band)) is not None}
    if not published or not ours or area not in table.columns:
        raise FormatError(
            f"The table needs a column {area!r}, columns such as 'Age 16 to 17' and bands such as '16-24': "
            f"it has {', '.join(map(str, table.columns[:8]))} and {', '.join(bands)}."
        )
    shares = np.array([[share_of_band(column, of, band) for band in ours.values()] for column, of in published.items()])
    sums = (
        table.assign(**{area: _merged(table[area].astype(str).tolist(), merge or {})})
        .groupby(area, sort=False)[list(published)]
        .sum()
    )
    exact = sums.to_numpy(dtype=np.float64) @ shares
    whole = np.diff(np.floor(np.cumsum(exact, axis=1) + 0.5), axis=1, prepend=0.0).astype(np.int64)
    return pd.DataFrame({
        "home": np.repeat(sums.index.to_numpy(), len(ours)), "age_band": list(ours) * len(sums), "n": whole.ravel(),
    })  # fmt: skip


def _merged(areas: Sequence[str], merge: Mapping[str, Sequence[str]]) -> list[str]:
    into = {part: whole for whole, parts in merge.items() for part in parts}
    if lost := sorted(set(into) - set(areas)):
        raise FormatError(f"The table has no row {lost[0]!r} to merge into {into[lost[0]]!r}: check its spelling.")
    return [into.get(a, a) for a in areas]


def ages_of(text: str) -> tuple[int, int] | None:
    """First age and the age after the last one; None for a text that is no age band."""
    match = _AGES.fullmatch(text.strip())
    if match is None:
        return None
    low = int(match["low"])
    if match["open"]:
        return low, OPEN_AGE
    return low, int(match["high"] or low) + 1


def share_of_band(column: str, published: tuple[int, int], band: tuple[int, int]) -> float:
    """The part of a published band that lies in one of ours, years of age counted alike."""
    (low, high), (first, end) = published, band
    if high == OPEN_AGE and low < first < end:
        raise FormatError(
            f"The open band {column!r} starts before {first}, where a band of ours does: an open band cannot be split."
        )
    return max(0, min(high, end) - max(low, first)) / (high - low)


def read_frame(name: str, data: pd.DataFrame | str | Path) -> tuple[pd.DataFrame, str]:
    """A DataFrame, or that of a CSV or Parquet file, all text where it is CSV; and what messages call it."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(data, pd.DataFrame):
        return data, f"The frame of table {name!r}"
    path = Path(data)
    suffix = path.suffix.lower()
    try:
        content = parquetfiles.mapped(path, linked=True) if suffix == ".parquet" else folders.read_bytes(path, MAX_BYTES, linked=True)
    except OSError:
        raise FormatError(f"There is no file {path} of at most {MAX_BYTES >> 20} MB for table {name!r}: name CSV or Parquet.") from None
    try:
        if suffix == ".parquet":
            return _parquet(content, path.name), str(path)
        return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False), str(path)
    except (ValueError, OSError, TypeError, NotImplementedError, pa.ArrowException, pd.errors.ParserError) as error:
        raise FormatError(
            f"{path} cannot be read as {path.suffix or 'a table'} ({str(error)[:80]}): give CSV or Parquet."
        ) from None


def _parquet(content: parquetfiles.Content, name: str) -> pd.DataFrame:
    """The rows of a Parquet file; a text that it says once and repeats is in memory once."""
    schema = parquetfiles.opened(content, name, _BOUNDS).schema
    texts = [schema.column(k).path for k in range(len(schema)) if schema.column(k).physical_type == "BYTE_ARRAY"]
    table = parquetfiles.opened(content, name, _BOUNDS, labels=texts).read()
    table.validate(full=True)
    frame = table.to_pandas(ignore_metadata=True)
    return frame.astype(dict.fromkeys(frame.select_dtypes("category").columns, object))
