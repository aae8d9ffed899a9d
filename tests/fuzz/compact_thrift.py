"""Thrift's compact protocol, both ways: enough to open the footer or a page header of a Parquet file, change it, and put it back.

A structure is a dictionary of field number to (kind, value); a list is (kind of its items, items).
"""

from __future__ import annotations

import struct as packing
from typing import Any

TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
INTEGERS = (4, 5, 6)


def read(data: bytes, at: int = 0) -> tuple[dict[int, Any], int]:
    """The structure at a place, and where it ends."""
    found: dict[int, Any] = {}
    field = 0
    while head := data[at]:
        at += 1
        if head >> 4:
            field += head >> 4
        else:
            number, at = _varint(data, at)
            field = _signed(number)
        value, at = _value(data, at, head & 15)
        found[field] = (head & 15, value)
    return found, at + 1


def write(content: dict[int, Any]) -> bytes:
    """The bytes of a structure."""
    out, before = b"", 0
    for field, (kind, value) in sorted(content.items()):
        head = (TRUE if value else FALSE) if kind in (TRUE, FALSE) else kind
        step = field - before
        out += (bytes([step << 4 | head]) if 0 < step < 16 else bytes([head]) + _packed(_unsigned(field))) + _bytes(kind, value)
        before = field
    return out + b"\0"


def footer(data: bytes) -> tuple[bytes, dict[int, Any]]:
    """A Parquet file's bytes before its footer, and the footer."""
    length = packing.unpack("<I", data[-8:-4])[0]
    return data[: -8 - length], read(data[-8 - length : -8])[0]


def joined(body: bytes, said: dict[int, Any]) -> bytes:
    """A Parquet file of a body and a footer."""
    text = write(said)
    return body + text + packing.pack("<I", len(text)) + b"PAR1"


def columns(said: dict[int, Any]) -> list[dict[int, Any]]:
    """The metadata of every column of every group of rows in a footer."""
    return [chunk[3][1] for group in said[4][1][1] for chunk in group[1][1][1]]


def _value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in (TRUE, FALSE):
        return kind == TRUE, at
    if kind == BYTE:
        return data[at], at + 1
    if kind in INTEGERS:
        number, at = _varint(data, at)
        return _signed(number), at
    if kind == DOUBLE:
        return data[at : at + 8], at + 8
    if kind == BINARY:
        length, at = _varint(data, at)
        return data[at : at + length], at + length
    if kind == STRUCT:
        return read(data, at)
    length, inside, at = data[at] >> 4, data[at] & 15, at + 1
    if length == 15:
        length, at = _varint(data, at)
    items: list[Any] = []
    for _ in range(length):
        item, at = (data[at] == TRUE, at + 1) if inside in (TRUE, FALSE) else _value(data, at, inside)
        items.append(item)
    return (inside, items), at


def _bytes(kind: int, value: Any) -> bytes:
    if kind in (TRUE, FALSE):
        return b""
    if kind == BYTE:
        return bytes([value & 255])
    if kind in INTEGERS:
        return _packed(_unsigned(value))
    if kind == DOUBLE:
        return value
    if kind == BINARY:
        return _packed(len(value)) + value
    if kind == STRUCT:
        return write(value)
    inside, items = value
    head = bytes([len(items) << 4 | inside]) if len(items) < 15 else bytes([0xF0 | inside]) + _packed(len(items))
    return head + b"".join(bytes([TRUE if item else FALSE]) if inside in (TRUE, FALSE) else _bytes(inside, item) for item in items)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return number, at


def _packed(number: int) -> bytes:
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _signed(number: int) -> int:
    return (number >> 1) ^ -(number & 1)


def _unsigned(number: int) -> int:
    return (number << 1 ^ number >> 63) & (1 << 64) - 1
