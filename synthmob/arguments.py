"""Arguments that several verbs share, and what is made of them; like `cli`, it imports nothing heavy before a verb runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from synthmob.databases import Address, is_address

if TYPE_CHECKING:
    from synthmob.pipeline.places import ZoningFile
    from synthmob.pipeline.records import RecordFiles
    from synthmob.pipeline.spending import Account
    from synthmob.synthesis.events import EventOptions


def add_account(p: argparse.ArgumentParser) -> None:
    """Which ledger pays, and the total that it may spend."""
    p.add_argument("--ledger", type=Path, metavar="FILE", help="ledger that pays (default ledger.jsonl beside the folder RECORDS)")
    p.add_argument("--ledger-key", type=Path, metavar="FILE", help="its key, where that is not kept beside it")
    p.add_argument("--customers", metavar="NAME", help="whose ledger it is (default the folder that it lies in); stands in releases")
    p.add_argument("--total-epsilon", type=float, metavar="E", help="the most that all releases together may spend; stands from then on")
    p.add_argument("--total-delta", type=float, metavar="D", help="delta of that total (default --delta)")


def add_records(p: argparse.ArgumentParser) -> None:
    """How records are read, and which days they cover."""
    p.add_argument("--from", dest="read_from", choices=("stays", "events"), default="stays", help="which to read of the two")
    p.add_argument("--first-day", metavar="DATE", help="first day of the period, where there is no period.toml")
    p.add_argument("--days", type=int, metavar="N", help="days of the period")
    p.add_argument("--timezone", metavar="NAME", help="time zone of the period, such as Europe/London (default UTC)")
    p.add_argument("--memory-limit-gb", type=float, metavar="GB", help="most memory for the records; beyond it they go to disk (default 3)")


def add_zones(p: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Which zoning, and how it is read."""
    p.add_argument("--zones", type=Path, required=required, metavar="FILE", help="public zoning, any file of shapes")
    p.add_argument("--id-column", default="zone_id", metavar="NAME", help="column of zone ids (default zone_id)")
    p.add_argument("--district-column", default="district_id", metavar="NAME", help="column of districts (default district_id)")
    p.add_argument("--h3-resolution", type=int, metavar="R", help="use H3 cells of this resolution inside the shapes as zones")


def add_events(p: argparse.ArgumentParser) -> None:
    """What phones do, and the public parameters of that."""
    p.add_argument("--events", action="store_true", help="write what the people's phones do as well, where the model has usage")
    p.add_argument("--sites", type=Path, metavar="FILE", help="public list of antenna sites (site_id, lon, lat); without it they are drawn")
    p.add_argument("--sites-a-zone", type=int, metavar="N", help="sites drawn in every zone (default 3)")
    p.add_argument("--neighbour-share", type=float, metavar="S", help="share of events that a neighbouring site serves (default 0.02)")


def events(a: argparse.Namespace) -> EventOptions | None:
    """The events that are asked for; InputError where something is said of them and they are not."""
    from synthmob.errors import InputError
    from synthmob.synthesis.events import EventOptions

    said = {"sites_a_zone": a.sites_a_zone, "neighbour_share": a.neighbour_share}
    given = {name: value for name, value in said.items() if value is not None}
    if not a.events and (given or a.sites is not None):
        raise InputError("Sites and neighbours are those of events: give --events too, or leave them out.")
    if a.sites is not None and a.sites_a_zone is not None:
        raise InputError("Sites come from a list or are drawn: give --sites or --sites-a-zone, not both.")
    return EventOptions(**given) if a.events else None


def zones(a: argparse.Namespace) -> ZoningFile:
    """The zoning that is named."""
    from synthmob.pipeline.places import ZoningFile

    return ZoningFile(a.zones, a.id_column, a.district_column, a.h3_resolution)


def place(text: str) -> Path | Address:
    """What the argument of a record table names: a path, or a database."""
    return Address.of(text) if is_address(text) else Path(text)


def records(a: argparse.Namespace, folder: Path | Address | None, *, paths: bool) -> RecordFiles:
    """The records in a folder, or, where the verb takes `paths`, at those."""
    from synthmob.pipeline.records import RecordFiles

    named = (a.subscribers, a.stays, a.events) if paths else (None, None, None)
    rest = {"engine": a.engine} if paths else {}
    return RecordFiles(folder, *named, a.first_day, a.days, a.timezone, a.read_from, a.memory_limit_gb, **rest)


def account(a: argparse.Namespace) -> Account:
    """The ledger that pays, as far as it is named."""
    from synthmob.pipeline.spending import Account

    return Account(a.ledger, a.ledger_key, a.customers, a.total_epsilon, a.total_delta)
