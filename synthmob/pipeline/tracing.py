"""The canary string: a subscriber with a secret id goes through the real commands, and every byte that they leave is searched.

The commands run as processes of their own, on a small folder of records beside nothing else, so that what they print, what they
write and what they leave in the temporary folder or the home folder are all known.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthmob.audit import traces
from synthmob.audit.evidence import Evidence
from synthmob.errors import InputError
from synthmob.period import Period
from synthmob.pipeline.places import ZoningFile

Progress = Callable[[str], None]

MOST_PEOPLE = 1_000
BUDGET = ("--epsilon", "200", "--delta", "1e-6", "--min-group", "10", "--yes")
"""Enough for a model of so few: here it is names that are looked for, not counts."""
MOMENTS_S = (0.0, 0.5)
"""How long after it has opened the records a command is broken off."""
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True)
class Place:
    """A folder of its own for one run of the commands: `records` is what they are given, `top` all that they may write in."""

    records: Path
    top: Path

    @property
    def printed(self) -> Path:
        """Everything that the commands print."""
        return self.top / "printed.log"

    @property
    def release(self) -> Path:
        """The release that `measure` writes."""
        return self.top / "release"


@dataclass(frozen=True)
class Tracer:
    """Persons and stays to be records, how their zones are read, where all of it may lie for a while, and what the commands are of."""

    persons: pa.Table
    stays: pa.Table
    period: Period
    zones: ZoningFile
    scratch: Path
    program: tuple[str, ...] = (sys.executable, "-m", "synthmob")

    def place(self, name: str, ids: Sequence[Any], spoil: Callable[[pa.Table], pa.Table] = lambda stays: stays) -> Place:
        """Records whose subscriber number k has the id `ids[k]`, their stays spoilt in some way, and an empty folder to work in."""
        records, top = self.scratch / f"{name}-records", self.scratch / name
        records.mkdir(mode=0o700, parents=True)
        for folder in ("temporary", "home"):
            (top / folder).mkdir(parents=True)
        pq.write_table(_named(self.persons, ids, ("sex", "age_band")), records / "subscribers.parquet")
        stays = _named(self.stays, ids, ("day", "seq", "purpose", "zone_id", "start_min", "end_min"))
        pq.write_table(spoil(stays), records / "stays.parquet")
        (records / "period.toml").write_text(
            f'first_day = {self.period.first_day.isoformat()}\ndays = {self.period.days}\ntimezone = "{self.period.timezone}"\n')
        return Place(records, top)

    def command(self, place: Place, *words: object) -> subprocess.Popen[bytes]:
        """A command under way in a place, all that it prints going to one file."""
        environment = {
            **os.environ, "TMPDIR": str(place.top / "temporary"), "HOME": str(place.top / "home"),
            "XDG_STATE_HOME": str(place.top / "home"), "XDG_CACHE_HOME": str(place.top / "home")}  # fmt: skip
        with place.printed.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  (our own command, words from here alone)
                [*self.program, *(str(word) for word in words)], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=environment, cwd=place.top)

    def measure(self, place: Place) -> subprocess.Popen[bytes]:
        """`measure`, under way."""
        return self.command(place, *_measure(self, place))

def attack(tracer: Tracer, progress: Progress) -> list[Evidence]:
    """Three rows: what the commands leave when all goes well, when records are broken, and when they are broken off."""
    n, planted = len(tracer.persons), _busiest(tracer.stays)
    text, number = f"canary-{secrets.token_hex(16)}", secrets.randbits(61) | 1 << 61
    texts = [text if k == planted else f"s{k:07d}" for k in range(n)]
    numbers = [number if k == planted else k for k in range(n)]
    of_text, of_number = traces.forms_of_text(text), traces.forms_of_number(number)
    good = [(_all_steps(tracer, tracer.place("text", texts), progress), of_text),
            (_one_step(tracer, tracer.place("number", numbers), 0, progress), of_number)]  # fmt: skip
    broken = [(_one_step(tracer, tracer.place(f"broken-{name}", texts, _on_planted(text, change)), 2, progress), of_text)
              for name, change in FAULTS.items()]  # fmt: skip
    stopped = [(_broken_off(tracer, tracer.place(f"stopped-{k}", texts), how, wait, progress), of_text)
               for k, (how, wait) in enumerate((s, w) for s in (signal.SIGINT, signal.SIGTERM) for w in MOMENTS_S)]  # fmt: skip
    return [
        _row("traces.outputs", "A planted id in what the commands leave", good,
             "measure, fit, generate, check and report"),
        _row("traces.errors", "A planted id in what is said of broken records", broken,
             f"measure of records that are broken where the subscriber with that id is, in {len(broken)} ways,"),
        _row("traces.interrupted", "A planted id in what a broken-off measure leaves", stopped,
             f"measure, broken off {len(stopped)} times,")]  # fmt: skip


def _busiest(stays: pa.Table) -> int:
    """The person with most stays, who gets the secret id: a day of one stay cannot be broken in every way."""
    return int(np.bincount(stays["person_id"].to_numpy()).argmax())


def _row(name: str, title: str, places: Sequence[tuple[Place, Sequence[bytes]]], what: str) -> Evidence:
    found = sum(len(traces.found_in_folder(place.top, forms)) for place, forms in places)
    searched = sum(traces.n_bytes(place.top) for place, _ in places)
    said = "in none of the" if not found else f"in {found} of the files among the"
    return Evidence(
        name, "traces", title, "mechanism", "count", float(found), float(found), float(found), searched,
        f"A made-up subscriber id was planted in the records; after {what} it stands {said} {searched:,} bytes that were printed, "
        "written or left in a temporary folder, packed or not.", control=0.0, limit=0.0, passed=found == 0)  # fmt: skip


def _all_steps(tracer: Tracer, place: Place, progress: Progress) -> Place:
    top, zoning = place.top, _zoning(tracer.zones)
    steps = (
        _measure(tracer, place),
        ("fit", place.release, *zoning, "-o", top / "model"),
        ("generate", top / "model", "--persons", 1_000, "--days", tracer.period.days, "-o", top / "out"),
        ("check", place.release, top / "out", "-o", top / "outside.json"),
        ("check", top / "out", "--truth", place.records, *zoning, "-o", top / "inside.json"),
        ("report", top / "out", "--release", place.release, "-o", top / "report.html"))  # fmt: skip
    for words in steps:
        progress(f"canary string: {words[0]}")
        expect(tracer.command(place, *words), 0, place)
    return place


def _measure(tracer: Tracer, place: Place) -> tuple[object, ...]:
    """The words of `measure` in a place; its ledger lies where it is searched too."""
    paid = ("--ledger", place.top / "ledger" / "ledger.jsonl")
    return ("measure", place.records, *_zoning(tracer.zones), *BUDGET, *paid, "-o", place.release)


def _one_step(tracer: Tracer, place: Place, code: int, progress: Progress) -> Place:
    progress(f"canary string: {place.top.name.replace('-', ' ')}")
    expect(tracer.measure(place), code, place)
    return place


def _broken_off(tracer: Tracer, place: Place, how: signal.Signals, wait_s: float, progress: Progress) -> Place:
    """A measure that gets a signal while its folder for what does not fit into memory is there, or has ended before."""
    progress(f"canary string: {how.name} {wait_s:g} s after the records are open")
    process, give_up = tracer.measure(place), time.monotonic() + _LONGEST_WAIT_S
    while process.poll() is None and not list((place.top / "temporary").iterdir()) and time.monotonic() < give_up:
        time.sleep(0.02)
    time.sleep(wait_s)
    process.send_signal(how)
    process.wait()
    return place


def expect(process: subprocess.Popen[bytes], code: int, place: Place) -> None:
    """Wait for a command; what is searched must be what a command with that exit code leaves."""
    if process.wait() != code:
        raise InputError(
            f"The audit's own run in {place.top.name} ended with exit code {process.returncode} where {code} was expected: its zoning or "
            "period do not fit the records, see that measure works on them.")


def _zoning(zones: ZoningFile) -> tuple[object, ...]:
    """The words that name a zoning to a command."""
    more = () if zones.h3_resolution is None else ("--h3-resolution", zones.h3_resolution)
    return ("--zones", zones.path.resolve(), "--id-column", zones.id_column, "--district-column", zones.district_column, *more)


def _named(table: pa.Table, ids: Sequence[Any], columns: Sequence[str]) -> pa.Table:
    """A record table: the columns that are there, under the ids."""
    named = pa.array(ids).take(table["person_id"].combine_chunks())
    return pa.table({"subscriber_id": named, **{c: table[c] for c in columns if c in table.column_names}})


def _on_planted(text: str, change: Callable[[pa.Table], pa.Table]) -> Callable[[pa.Table], pa.Table]:
    """A change of the planted subscriber's stays alone."""

    def spoil(stays: pa.Table) -> pa.Table:
        planted = [who == text for who in stays["subscriber_id"].to_pylist()]
        others = stays.filter(pa.array([not of for of in planted]))
        return pa.concat_tables([others, change(stays.filter(pa.array(planted))).cast(stays.schema)])

    return spoil


def _with(column: str, value: Any) -> Callable[[pa.Table], pa.Table]:
    """A change that puts one value into a column of every row."""

    def change(rows: pa.Table) -> pa.Table:
        values = pa.array([value] * len(rows), rows.schema.field(column).type)
        return rows.set_column(rows.column_names.index(column), column, values)

    return change


FAULTS: dict[str, Callable[[pa.Table], pa.Table]] = {
    "twice": lambda rows: pa.concat_tables([rows, rows]),
    "times": _with("start_min", 5_000),
    "overlap": _with("end_min", 1_440),
    "zone": _with("zone_id", "no such zone"),
    "stranger": lambda rows: rows.set_column(0, "subscriber_id", pa.array([f"{who}-unknown" for who in rows[0].to_pylist()])),
}
"""Ways to break the planted subscriber's stays; each makes measure refuse the records."""
