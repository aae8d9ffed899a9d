"""The private records, read and judged: which files, which columns, and what each value counts as.

Only the columns named here are read, and of the attributes only those that the plan names. A category outside the
public ones counts as the last of its axis, a null zone is `outside`, a row outside the public period is dropped;
everything else that is wrong is a RecordError that says where, never who.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from synthmob.databases import Address
from synthmob.domain import Domain
from synthmob.errors import RecordError
from synthmob.period import Period
from synthmob.private import event_rows, fields, stay_rows
from synthmob.private import validation as must
from synthmob.private.files import RecordFile, open_file, there
from synthmob.private.postgres import Table
from synthmob.private.validation import Check
from synthmob.usageplan import USAGE_COLUMNS
from synthmob.zones import Zoning

SUFFIXES = (".parquet", ".csv", ".csv.gz", "")


@dataclass(frozen=True)
class Sources:
    """Where the records lie: a folder with subscribers and stays or events (.parquet, .csv or a folder of parts), a database
    with tables of these names, or paths and tables.

    What is given by itself wins over the folder.
    """

    folder: Path | Address | None = None
    subscribers: Path | Address | None = None
    stays: Path | Address | None = None
    events: Path | Address | None = None

    def find(self, name: Literal["subscribers", "stays", "events"]) -> Path | Table | None:
        """Where one table is, None where there is none."""
        given = {"subscribers": self.subscribers, "stays": self.stays, "events": self.events}[name]
        if given is not None:
            return Table.at(given, name) if isinstance(given, Address) else given
        if isinstance(self.folder, Address):
            table = Table.at(self.folder, name)
            return table if table.exists() else None
        return self._in_folder(name)

    def _in_folder(self, name: str) -> Path | None:
        if self.folder is None or isinstance(self.folder, Address):
            return None
        if not there(self.folder) or not self.folder.is_dir():
            raise RecordError(
                f"There is no folder {self.folder}: give the folder that holds subscribers and stays or events."
            )
        found = [p for p in (self.folder / f"{name}{suffix}" for suffix in SUFFIXES) if p.exists()]
        if len(found) > 1:
            raise RecordError(
                f"The folder {self.folder.name} has both {found[0].name} and {found[1].name}: keep one of them."
            )
        return found[0] if found else None


@dataclass(frozen=True)
class Records:
    """Validated records as lazy tables on one backend.

    `subscribers`: subscriber_id and the attributes asked for. `stays`: subscriber_id, day, seq, purpose, zone_id,
    start_min, end_min and, where `has_mode`, mode; None where events are read. `events`: subscriber_id, at_s (whole
    seconds since local midnight of the first day), zone_id; None where stays are read. zone_id is a zone or `outside`.
    `usage`: events with the columns of usage that were asked for, None where none were.
    """

    subscribers: Any
    stays: Any | None
    events: Any | None
    has_mode: bool
    usage: Any | None = None


def attributes_in(backend: Any, sources: Sources, wanted: Sequence[str]) -> tuple[str, ...]:
    """Which of the wanted attributes the subscribers' file has, in the order wanted; its rows are not read."""
    found = _subscribers_file(backend, sources).schema
    return tuple(name for name in wanted if name in found)


def has_mode(backend: Any, sources: Sources, prefer: Literal["stays", "events"] = "stays") -> bool:
    """Whether the records that `read` would take say how people travelled; no row is read."""
    use, path = _choose(sources, prefer)
    return use == "stays" and "mode" in open_file(backend, path).schema


def usage_in(backend: Any, sources: Sources) -> tuple[str, ...]:
    """Which columns of usage the events have, whatever else is read; none where they do not say their kind."""
    path = sources.find("events")
    found = open_file(backend, path).schema if path is not None else {}
    return tuple(name for name in USAGE_COLUMNS if name in found) if "kind" in found else ()


def kind(sources: Sources, prefer: Literal["stays", "events"] = "stays") -> Literal["stays", "events"]:
    """Whether `read` would take stays or events; no row is read."""
    return _choose(sources, prefer)[0]


def read(
    backend: Any,
    sources: Sources,
    zoning: Zoning,
    period: Period,
    attributes: Sequence[str],
    *,
    prefer: Literal["stays", "events"] = "stays",
    domain: Domain | None = None,
    usage: Sequence[str] = (),
) -> Records:
    """Open and validate the records; where both stays and events are there, `prefer` says which are read.

    `usage` are the columns of usage that are read from the events, beside stays too.
    """
    people = _subscribers_file(backend, sources)
    use, path = _choose(sources, prefer)
    rows = open_file(backend, path)
    for file, columns in ((people, attributes), (rows, ())):
        must.need(file, ["subscriber_id", *columns])
    used = _events_file(backend, sources) if usage and use == "stays" else None
    as_text = True in [fields.ids_as_text(people, file) for file in (rows, used) if file is not None]
    subscribers = _subscribers(people, attributes, domain or Domain(), as_text=as_text)
    known = fields.Known(subscribers.select("subscriber_id"), people.name, as_text=as_text)
    if use == "events":
        events = event_rows.read(rows, known, zoning, period, usage, domain)
        return Records(subscribers, None, events, False, events if usage else None)
    stays = stay_rows.read(rows, known, zoning, period, domain or Domain())
    said = None if used is None else event_rows.read(used, known, zoning, period, usage, domain)
    return Records(subscribers, stays, None, "mode" in stays.columns, said)


def _events_file(backend: Any, sources: Sources) -> RecordFile:
    path = sources.find("events")
    if path is None:
        raise RecordError("The plan asks for usage and there are no events: give an events file, or leave usage out of the plan.")
    file = open_file(backend, path)
    must.need(file, ["subscriber_id"])
    return file


def _subscribers_file(backend: Any, sources: Sources) -> RecordFile:
    path = sources.find("subscribers")
    if path is None:
        where = f"in {sources.folder}" if sources.folder else "among the paths given"
        raise RecordError(
            f"There is no subscribers.parquet or subscribers.csv, nor a table of that name, {where}: it is needed, one row a subscriber."
        )
    return open_file(backend, path)


def _choose(sources: Sources, prefer: Literal["stays", "events"]) -> tuple[Literal["stays", "events"], Path | Table]:
    stays, events = sources.find("stays"), sources.find("events")
    if prefer == "events" and events is None and stays is not None:
        raise RecordError(
            f"Events were asked for and there is only {stays.name}: give an events file, or read the stays."
        )
    if stays is not None and (prefer == "stays" or events is None):
        return "stays", stays
    if events is not None:
        return "events", events
    where = f"in {sources.folder}" if sources.folder else "among the paths given"
    raise RecordError(
        f"There are neither stays nor events {where}: put a stays.parquet, events.parquet or a CSV of them there."
    )


def _subscribers(file: RecordFile, attributes: Sequence[str], domain: Domain, *, as_text: bool) -> Any:
    labels = {"sex": domain.sex, "age_band": domain.age_band}
    for name in attributes:
        fields.need_text(file, name)
    file = file.of(["subscriber_id", *attributes])
    numbered = file.numbered.mutate(subscriber_id=fields.subscriber_id(file, file.numbered, as_text=as_text))
    no_id = Check(numbered.subscriber_id.isnull(), fields.NO_ID)
    must.refuse_rows(file, numbered, [no_id, *(fields.text_check(numbered, name) for name in attributes)])
    must.refuse_duplicates(file, numbered, ["subscriber_id"])
    categories = {name: fields.category(file.table[name], labels[name]) for name in attributes}
    return file.table.select(subscriber_id=fields.subscriber_id(file, file.table, as_text=as_text), **categories)
