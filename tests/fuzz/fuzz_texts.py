"""Ways to spoil JSON, TOML, CSV and plain bytes: values that no honest writer writes, structures that say two things."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

HUGE = "9" * 5_000
NASTY_TEXTS = (
    "", " ", "\0", "a\nb", "\x1b[2J", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "../../etc/passwd", "/dev/zero", "C:\\x",
    "%2e%2e%2f", "outside", "unknown", "home-work", "-", "x" * 700, "x" * 70_000, "é\u202e\u0000", "NaN", "1e999", "0x10", "true",
    "null", "[]", "'", '"', "--", "z0", "zone", "count", "@", "#2", "😀", "\ufeff", "2026-13-45", "9999-12-31", "Europe/Nowhere",
    "../UTC")  # fmt: skip
NASTY_NUMBERS = (
    0, -1, 1, 2, -0.0, 0.5, 1e-300, 5e-324, 1e300, -1e300, 2**31, 2**53 + 1, 2**62, 2**63 - 1, -(2**63), 1e15, 1e18, 3.14159, 1024,
    10**6)  # fmt: skip
NASTY_WORDS = (
    "1e999", "-1e999", HUGE, f"0.{HUGE}", f"1e{HUGE}", "NaN", "Infinity", "-Infinity", "1" + "0" * 400, "0x10", "01", "+1",
    "1_0")  # fmt: skip
"""Numbers as text that JSON's grammar or a float has no room for."""
NASTY = (*NASTY_TEXTS, *NASTY_NUMBERS, True, False, None, [], {}, [[]], {"a": {}}, [None], ["x"], [1, "x"], {"": 0})
MARK = "@@fuzzed@@"


def nasty(rng: random.Random) -> Any:
    """A value that is not meant where it is put."""
    kind = rng.random()
    if kind < 0.4:
        return copy.deepcopy(rng.choice(NASTY))
    if kind < 0.6:
        return rng.choice(NASTY_NUMBERS)
    if kind < 0.8:
        return rng.choice(NASTY_TEXTS)
    if kind < 0.9:
        return rng.randint(-(10**6), 10**6) / rng.choice((1, 1, 2, 1000))
    return [copy.deepcopy(rng.choice(NASTY)) for _ in range(rng.choice((1, 3, 40)))]


def spots(content: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside some JSON."""
    found = [way] if way else []
    if isinstance(content, dict):
        for key, value in content.items():
            found += spots(value, (*way, key))
    elif isinstance(content, list):
        for k, value in enumerate(content[:40]):
            found += spots(value, (*way, k))
    return found


def spoil_json(rng: random.Random, content: Any) -> tuple[Any, Callable[[str], str]]:
    """Some JSON with a few changes, and what is to be done to its text in the end."""
    after: Callable[[str], str] = str
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        ways = spots(content)
        if not ways:
            return nasty(rng), after
        *way, last = rng.choice(ways)
        inside = content
        for step in way:
            inside = inside[step]
        change = rng.choice(_CHANGES)
        after = change(rng, inside, last) or after
    return content, after


def _put(rng: random.Random, inside: Any, last: Any) -> None:
    inside[last] = nasty(rng)


def _near(rng: random.Random, inside: Any, last: Any) -> None:
    """A small change: what is nearly right reaches deeper checks."""
    value = inside[last]
    if isinstance(value, bool):
        inside[last] = not value
    elif isinstance(value, int | float):
        inside[last] = rng.choice((value + 1, value - 1, value * 2, value / 2, -value, value + 1e-4, value * (1 + 1e-9)))
    elif isinstance(value, str):
        inside[last] = rng.choice((value + "x", value[:-1], value.upper(), value + "\0", value[::-1], f" {value}"))
    elif isinstance(value, list) and value:
        inside[last] = rng.choice((value[:-1], [*value, value[-1]], value[::-1], value * 2, [value]))
    elif isinstance(value, dict) and value:
        del value[rng.choice(list(value))]


def _delete(rng: random.Random, inside: Any, last: Any) -> None:
    del inside[last]


def _rename(rng: random.Random, inside: Any, last: Any) -> None:
    if isinstance(inside, dict):
        inside[rng.choice((*NASTY_TEXTS, f"{last}2"))] = inside.pop(last)


def _add(rng: random.Random, inside: Any, last: Any) -> None:
    if isinstance(inside, dict):
        inside[rng.choice(NASTY_TEXTS)] = nasty(rng)
    else:
        inside.insert(0, nasty(rng))


def _swap(rng: random.Random, inside: Any, last: Any) -> None:
    other = rng.choice(list(inside) if isinstance(inside, dict) else range(len(inside)))
    inside[last], inside[other] = inside[other], inside[last]


def _deep(rng: random.Random, inside: Any, last: Any) -> Callable[[str], str]:
    depth = rng.choice((5, 17, 900, 5_000, 100_000))
    left, right = rng.choice((("[", "]"), ('{"a":', "}")))
    inside[last] = MARK
    return lambda text: text.replace(f'"{MARK}"', left * depth + rng.choice(("0", "")) + right * depth)


def _word(rng: random.Random, inside: Any, last: Any) -> Callable[[str], str]:
    inside[last] = MARK
    return lambda text: text.replace(f'"{MARK}"', rng.choice(NASTY_WORDS))


def _half(rng: random.Random, inside: Any, last: Any) -> Callable[[str], str]:
    inside[last] = MARK
    return lambda text: text.replace(MARK, rng.choice(("\\ud800", "\\udc00x", "\\ud83d\\ud83d", "\\u0000")))


def _twice(rng: random.Random, inside: Any, last: Any) -> Callable[[str], str]:
    if not isinstance(inside, dict):
        return str
    other = json.dumps(nasty(rng))
    return lambda text: text.replace(json.dumps(str(last)) + ":", f"{json.dumps(str(last))}: {other}, {json.dumps(str(last))}:", 1)


def _long(rng: random.Random, inside: Any, last: Any) -> None:
    inside[last] = rng.choice(([0] * 3_000, ["a"] * 3_000, [f"l{k}" for k in range(3_000)], {f"k{k}": k for k in range(3_000)}))


_CHANGES = (_put, _put, _put, _near, _near, _near, _delete, _rename, _add, _swap, _deep, _word, _half, _twice, _long)


def spoil_json_file(rng: random.Random, path: Path) -> None:
    """Change the values of a JSON file, or its text."""
    if rng.random() < 0.12:
        path.write_bytes(spoil_bytes(rng, path.read_bytes()))
        return
    content, after = spoil_json(rng, json.loads(path.read_text(encoding="utf-8")))
    path.write_text(after(json.dumps(content)), encoding="utf-8")


def spoil_bytes(rng: random.Random, content: bytes) -> bytes:
    """Flips, cuts, insertions, another encoding."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        content = rng.choice(_BYTES)(rng, content, rng.randrange(len(content) + 1))
    return content


def _flip(rng: random.Random, content: bytes, at: int) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice((1, 3, 20)) if data else 0):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def _insert(rng: random.Random, content: bytes, at: int) -> bytes:
    return content[:at] + rng.choice((b"\0", b"\xff", b"\n", b'"', b",", b"\x00" * 64, rng.randbytes(16))) + content[at:]


def _say(rng: random.Random, content: bytes, at: int) -> bytes:
    return content[:at] + rng.choice(NASTY_TEXTS).encode("utf-8", "surrogatepass") + content[at:]


def _repeat(rng: random.Random, content: bytes, at: int) -> bytes:
    end = at + rng.randrange(1, 200)
    return content[:end] + content[at:end] * rng.choice((1, 1, 3)) + content[end:]


def _number(rng: random.Random, content: bytes, at: int) -> bytes:
    found = list(re.finditer(rb"-?\d+(\.\d+)?", content[:20_000]))
    if not found:
        return content
    spot = rng.choice(found)
    return content[: spot.start()] + rng.choice((*map(str, NASTY_NUMBERS), *NASTY_WORDS)).encode() + content[spot.end() :]


def _encode(rng: random.Random, content: bytes, at: int) -> bytes:
    return rng.choice((b"\xef\xbb\xbf" + content, content.decode("latin-1").encode("utf-16"), content[::-1], b""))


_BYTES: tuple[Callable[[random.Random, bytes, int], bytes], ...] = (
    _flip, _insert, _say, _repeat, _number, _encode, lambda rng, content, at: content[:at],
    lambda rng, content, at: content[:at] + content[at + rng.randrange(1, 60) :])  # fmt: skip


def spoil_lines(rng: random.Random, content: bytes) -> bytes:
    """Lines of a table or a plan doubled, dropped, exchanged, glued, their fields moved or replaced."""
    lines = content.split(b"\n")
    for _ in range(rng.choice((1, 1, 2, 4))):
        rng.choice(_LINES)(rng, lines, rng.randrange(len(lines)))
    return b"\n".join(lines)


def _again(rng: random.Random, lines: list[bytes], k: int) -> None:
    lines.insert(rng.randrange(len(lines) + 1), lines[k])


def _exchange(rng: random.Random, lines: list[bytes], k: int) -> None:
    other = rng.randrange(len(lines))
    lines[k], lines[other] = lines[other], lines[k]


def _lose(rng: random.Random, lines: list[bytes], k: int) -> None:
    lines[k : k + 1] = [] if len(lines) > 1 else [b""]


def _shuffle(rng: random.Random, lines: list[bytes], k: int) -> None:
    fields = lines[k].split(b",")
    rng.shuffle(fields)
    lines[k] = b",".join(fields)


def _field(rng: random.Random, lines: list[bytes], k: int) -> None:
    fields = lines[k].split(b",")
    near = (b"-1", b"0", b"1441", b"99999999999999999999", b"1.5", b"", b"NULL", b"z9")
    word = rng.choice(near) if rng.random() < 0.5 else str(nasty(rng)).encode("utf-8", "surrogatepass")
    fields[rng.randrange(len(fields))] = word
    lines[k] = b",".join(fields)


def _more(rng: random.Random, lines: list[bytes], k: int) -> None:
    lines[k] = lines[k] + b"," + rng.choice((lines[k].split(b",")[0], b""))


def _before(rng: random.Random, lines: list[bytes], k: int) -> None:
    lines[k] = rng.choice((b'"', b"'", b"#", b"\t", b"\r", b"\0", b";", b" ")) + lines[k]


def _other(rng: random.Random, lines: list[bytes], k: int) -> None:
    lines[k] = b"x" * rng.choice((0, 10, 5_000, 3_000_000))


_LINES: tuple[Callable[[random.Random, list[bytes], int], None], ...] = (
    _again, _exchange, _lose, _shuffle, _field, _field, _field, _more, _before, _other)  # fmt: skip
