"""The lines of a ledger as a chain: each carries a keyed hash of itself and of the line before, so none can be changed alone.

A line is JSON with sorted keys, its `mac` last: HMAC-SHA256 (RFC 2104, doi:10.17487/RFC2104) over the mac before it and its own
text without the mac. The head names the last line; its file carries a seal, so that nobody without the key can name another.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from synthmob.errors import FormatError

KEY_BYTES = 32
START = "0" * 64
"""Stands for the mac of the line before the first."""
LONGEST_NAME = 200
_LINE = re.compile(rb'(\{.*),"mac":"([0-9a-f]{64})"\}')
_MAC = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Keys:
    """Three keys made of the one in the key file, so that no hash made for one purpose serves another."""

    line: bytes
    head: bytes
    note: bytes

    @staticmethod
    def of(secret: bytes) -> Keys:
        """The keys of a ledger; `secret` has KEY_BYTES bytes."""
        return Keys(*(hmac.digest(secret, f"synthmob ledger 1 {use}".encode(), "sha256") for use in ("line", "head", "note")))

    def fingerprint(self, text: str) -> str:
        """A hash that only who has the key can compare: 64 hexadecimal digits."""
        return hmac.digest(self.note, text.encode(), "sha256").hex()


@dataclass(frozen=True)
class Head:
    """The last line of a ledger: whose it is, the line's number from 1 on (0 before the first), and its mac."""

    customers: str
    line: int
    mac: str

    def as_json(self) -> dict[str, Any]:
        """What stands in a release and in its manifest."""
        return asdict(self)

    @staticmethod
    def from_json(said: object, where: str) -> Head:
        """The head that `as_json` described; FormatError says that `where` has none."""
        content = cast(Mapping[str, Any], said) if isinstance(said, Mapping) else {}
        name, line, mac = content.get("customers"), content.get("line"), content.get("mac")
        if set(content) != {"customers", "line", "mac"} or not (is_name(name) and type(line) is int and line >= 0):
            raise FormatError(f"{where} does not name a line of a ledger as it should: it is damaged, restore it.")
        if not (isinstance(mac, str) and _MAC.fullmatch(mac)):
            raise FormatError(f"{where} names a line of a ledger without its mac of 64 digits: it is damaged, restore it.")
        return Head(cast(str, name), line, mac)


@dataclass(frozen=True)
class Entry:
    """One verified line: its number, its mac, and what it says."""

    line: int
    mac: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Chain:
    """Verified lines, and the bytes behind the last one that do not end in a line break: a line that was never finished."""

    entries: tuple[Entry, ...]
    torn: bytes = b""

    def head(self, customers: str) -> Head:
        """The last line as a head."""
        return Head(customers, len(self.entries), self.entries[-1].mac if self.entries else START)


def is_name(name: object) -> bool:
    r"""Whether a customer base can be called so: printable text that is not too long.

    >>> is_name("Example Mobile"), is_name(""), is_name("two\nlines")
    (True, False, False)
    """
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable()


def canonical(content: Mapping[str, Any]) -> str:
    """The one text of a line's content.

    >>> canonical({"b": 1, "a": 0.5})
    '{"a":0.5,"b":1}'
    """
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def linked(keys: Keys, before: str, content: Mapping[str, Any]) -> tuple[Entry, bytes]:
    """A new line that follows the mac `before`, and its bytes with the line break."""
    text = canonical(content).encode()
    mac = _mac(keys, before, text)
    return Entry(int(content["line"]), mac, content), text[:-1] + f',"mac":"{mac}"}}\n'.encode()


def read(keys: Keys, data: bytes, where: str) -> Chain:
    """The lines in `data`, each verified; FormatError names the first that does not follow from those before it."""
    *lines, torn = data.split(b"\n")
    entries: list[Entry] = []
    before = START
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        text, mac = (match[1] + b"}", match[2].decode()) if match else (b"", "")
        if not match or not hmac.compare_digest(mac, _mac(keys, before, text)):
            raise FormatError(
                f"Line {number} of {where} does not follow from those before it: the ledger was edited, or this is not its key; "
                "restore what it was, or give its key.")
        entries.append(Entry(number, mac, _content(text, number, where)))
        before = mac
    return Chain(tuple(entries), torn)


def sealed(keys: Keys, head: Head) -> bytes:
    """The content of a head file."""
    return f"{canonical({**head.as_json(), 'seal': _seal(keys, head)})}\n".encode()


def opened(keys: Keys, data: bytes, where: str) -> Head:
    """The head in a head file; FormatError where it was not sealed with this key."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        said = None
    content = dict(cast(dict[str, Any], said)) if isinstance(said, dict) else {}
    seal = content.pop("seal", None)
    head = Head.from_json(content, where)
    if not isinstance(seal, str) or not hmac.compare_digest(seal.encode(), _seal(keys, head).encode()):
        raise FormatError(f"{where} was not written with this key: it was edited, or this is not its key; restore it or give its key.")
    return head


def check_head(chain: Chain, head: Head, where: str) -> None:
    """FormatError where the chain is not the one that its head names: shorter, of another branch, or longer by more than a line.

    It may be one line longer: then a spend was broken off between its line and the head, and counts.
    """
    n = len(chain.entries)
    if head.line > n:
        raise FormatError(
            f"{where} has {n} lines and its head names line {head.line}: it was shortened or is an older copy, restore what it was.")
    if head.line and chain.entries[head.line - 1].mac != head.mac:
        raise FormatError(f"Line {head.line} of {where} is not the one that its head names: it is another copy, restore what it was.")
    if n > head.line + 1 or (n > head.line and chain.torn):
        raise FormatError(f"{where} has {n} lines and its head names line {head.line} only: the head is older, restore what it was.")


def _content(text: bytes, number: int, where: str) -> Mapping[str, Any]:
    try:
        content = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or cast(dict[str, Any], content).get("line") != number:
        raise FormatError(f"Line {number} of {where} is no line of a ledger: another program wrote it, restore what it was.")
    return cast(dict[str, Any], content)


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def _mac(keys: Keys, before: str, text: bytes) -> str:
    return hmac.digest(keys.line, bytes.fromhex(before) + text, "sha256").hex()


def _seal(keys: Keys, head: Head) -> str:
    return hmac.digest(keys.head, canonical(head.as_json()).encode(), "sha256").hex()
