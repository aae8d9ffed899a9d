"""Thrift's compact protocol, read as plain data: what the footer of a Parquet file and the headers of its pages are written in.

The libraries that read Parquet trust these numbers; some end the whole process where they contradict each other. So they are read
here first, by code that can do nothing worse than raise ValueError (Apache Thrift, "Thrift compact protocol encoding", 2020).
"""

from __future__ import annotations

from typing import Any

Structure = dict[int, Any]
"""Values by the number of their field: whole numbers, bytes, lists and structures; anything else is None."""
DEEPEST = 24
_TRUE_OR_FALSE, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _LISTS, _STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 12


def structure(data: bytes, at: int = 0, depth: int = 0) -> tuple[Structure, int]:
    """The structure that begins at a place, and where it ends; ValueError for bytes that are none.

    >>> structure(bytes([0x15, 4, 0x15, 6, 0]))
    ({1: 2, 2: 3}, 5)
    """
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    found: Structure = {}
    field = 0
    try:
        while head := data[at]:
            at += 1
            if head >> 4:
                field += head >> 4
            else:
                number, at = _varint(data, at)
                field = _signed(number)
            found[field], at = _value(data, at, head & 15, depth)
    except IndexError:
        raise ValueError("it ends in the middle") from None
    return found, at + 1


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    """The value of a kind that begins at a place, and where it ends."""
    if kind in _TRUE_OR_FALSE:  # the head of its field has said it already
        return None, at
    if kind in _INTEGERS:
        number, at = _varint(data, at)
        return _signed(number), at
    if kind == _BINARY:
        length, at = _varint(data, at)
        if at + length > len(data):
            raise ValueError("a text ends past the end")
        return data[at : at + length], at + length
    if kind == _STRUCT:
        return structure(data, at, depth + 1)
    if kind in _LISTS:
        return _list(data, at, depth)
    if kind in (_BYTE, _DOUBLE):
        return None, at + (1 if kind == _BYTE else 8)
    raise ValueError("no such kind")


def _list(data: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    length, kind, at = data[at] >> 4, data[at] & 15, at + 1
    if length == 15:
        length, at = _varint(data, at)
    if length > len(data) - at or depth > DEEPEST:  # every item takes a byte at least
        raise ValueError("a list ends past the end, or lies too deep")
    items: list[Any] = []
    for _ in range(length):
        item, at = (None, at + 1) if kind in _TRUE_OR_FALSE else _value(data, at, kind, depth + 1)
        items.append(item)
    return items, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        number |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return number, at
    raise ValueError("a number of more than ten bytes")


def _signed(number: int) -> int:
    return (number >> 1) ^ -(number & 1)
