"""Records as text: the header of a CSV, and what a reader passes over in silence.

A quotation mark that is never closed takes all rows behind it with it, and packed text may unpack without end.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path

from synthmob.errors import RecordError

SEPARATORS, LONGEST_HEADER = ",;\t|", 65_536
LONGEST_LINE = 2_000_000
MAX_RATIO = 200
"""Packed text of records takes a tenth or a fiftieth of its bytes; a hundred times a thousandth is a trap."""
_AT_ONCE, _WINDOW = 1 << 20, 64 << 20


def header(part: Path) -> tuple[str, list[str]]:
    """The separator (comma, semicolon, tab or bar) and the column names that the first line of a CSV gives."""
    if part.suffix == ".gz":
        _check_packing(part)
    try:
        with (gzip.open if part.suffix == ".gz" else open)(part, "rt", encoding="utf-8-sig", newline="") as lines:
            first = lines.readline(LONGEST_HEADER)
        sep = max(SEPARATORS, key=first.count)
        names = next(csv.reader([first], delimiter=sep), [])
    except (OSError, EOFError, zlib.error, ValueError, csv.Error):
        raise RecordError(f"{part.name} cannot be read as UTF-8 text: write it as CSV in UTF-8.") from None
    if not names or len(set(names)) < len(names) or not all(names):
        raise RecordError(f"{part.name} has no header of distinct column names in its first line: write one.")
    return sep, names


def _check_packing(part: Path) -> None:
    """Refuse a packed file whose beginning unpacks to far more than text does: nothing of it is given to the backend."""
    with part.open("rb") as file:
        packed = file.read(_AT_ONCE)
    most, unpacked, member = MAX_RATIO * max(len(packed), 1 << 10), 0, zlib.decompressobj(31)
    try:
        while packed and unpacked <= most:
            unpacked += len(member.decompress(packed, _AT_ONCE))
            packed = member.unconsumed_tail or member.unused_data
            member = zlib.decompressobj(31) if member.eof else member
    except zlib.error:
        return  # the header or the backend says what is wrong with it
    if unpacked > most:
        raise _endless(part)


def check_text(part: Path) -> None:
    """Read a CSV once from end to end: RecordError where a quotation mark is never closed, or a line or a packed file never ends."""
    quotes = open_line = window = begun = 0
    try:
        with part.open("rb") as packed, (gzip.GzipFile(fileobj=packed) if part.suffix == ".gz" else packed) as lines:
            while chunk := lines.read(_AT_ONCE):
                quotes += chunk.count(b'"')
                end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
                open_line = open_line + len(chunk) if end < 0 else len(chunk) - end
                window += len(chunk)
                if window >= _WINDOW:
                    if window > MAX_RATIO * (packed.tell() - begun):
                        raise _endless(part)
                    window, begun = 0, packed.tell()
                if open_line > LONGEST_LINE:
                    raise RecordError(f"{part.name} has a line of more than {LONGEST_LINE} bytes: write a row on every line.")
    except (OSError, EOFError, zlib.error):
        raise RecordError(f"{part.name} cannot be read to its end: write the file again, it is damaged.") from None
    if quotes % 2:
        raise RecordError(f"{part.name} has a quotation mark that is never closed: write the file again, with two for one inside a text.")


def _endless(part: Path) -> RecordError:
    return RecordError(f"{part.name} unpacks to more than {MAX_RATIO} times its size: no records do, write the file again.")
