"""How the privacy page writes numbers: as many digits as they are known to, and no more. And other values, in words."""

from __future__ import annotations

from collections.abc import Mapping

from synthmob.audit.evidence import Evidence
from synthmob.report.words import power, whole

UNITS = {
    "auc": "AUC", "epsilon": "epsilon", "share": "share", "p": "p-value", "persons": "persons", "count": "count"}  # fmt: skip
"""What a number of each unit is called; a unit that is not known is called by its own name."""
AT_LEAST = ("p", "persons")
"""Units of which more is better: how likely what was seen is if all is well, and how many people an estimate is off by."""
_MINUS = "\N{MINUS SIGN}"
_WIDE = 0.2
"""A share whose interval is at least so wide is written in whole percents."""
_TINY = 0.001
_LONG = 10_000


def at_least(e: Evidence) -> bool:
    """Whether a row passes at or above its limit, not at or below it."""
    return e.unit in AT_LEAST


def value(e: Evidence) -> str:
    """The number of a row, with its unit where that is a sign."""
    return written(e, e.value)


def interval(e: Evidence) -> str:
    """The interval of a row in brackets; nothing where it is a point.

    >>> interval(Evidence("a", "membership", "A", "release", "auc", 0.531, 0.513, 0.549, 9, "S."))
    '[.51, .55]'
    """
    if e.low == e.high:
        return ""
    low, high = written(e, e.low), written(e, e.high)
    return f"[{low.removesuffix(' %')}, {high.removesuffix(' %')}]"


def limit(e: Evidence) -> str:
    """The limit of a row, with the side that is good; nothing without one."""
    return "" if e.limit is None else f"{'≥' if at_least(e) else '≤'} {limit_alone(e, e.limit)}"


def limit_alone(e: Evidence, number: float) -> str:
    """A limit of a row: it is known exactly, and small differences of an AUC decide."""
    return bare(number, 3) if e.unit == "auc" else written(e, number)


def control(e: Evidence) -> str:
    """What the same attack comes to where there is nothing to find; nothing where that is not known."""
    return "" if e.control is None else written(e, e.control)


def written(e: Evidence, number: float) -> str:
    """A number in the unit of a row, with the digits that the row's interval allows.

    >>> row = Evidence("a", "disclosure", "A", "synthetic", "share", -0.0031, -0.0204, 0.0142, 9, "S.", 0.0, 0.05, True)
    >>> written(row, row.value).encode("ascii", "replace"), written(row, 0.05)
    (b'?0.3 %', '5.0 %')
    """
    return _plain(e, number).replace("-", _MINUS)


def _plain(e: Evidence, number: float) -> str:
    if e.unit == "auc":
        return bare(number, _digits(e, 2, sharp=0.02))
    if e.unit == "p":
        return power(number) if 0 < number < _TINY else bare(number, 3 if number < 0.01 else 2)
    if e.unit == "share":
        digits = _digits(e, 3, sharp=0.002) - 2 if e.high - e.low < _WIDE else 0
        return f"{_zero(100 * number, digits):.{digits}f} %"
    if e.unit == "epsilon":
        return f"{number:.2f}" if abs(number) < 100 else whole(number)
    return whole(number) if number == round(number) or abs(number) >= 100 else f"{number:.1f}"


def _digits(e: Evidence, usual: int, *, sharp: float) -> int:
    """The usual digits, one more where the interval is narrow, or where the value would else be written like its limit."""
    same = e.limit is not None and e.limit != e.value and round(e.limit, usual) == round(e.value, usual)
    return usual + (0 < e.high - e.low < sharp or same)


def bare(number: float, digits: int) -> str:
    """A number between -1 and 1 without the zero before its point.

    >>> bare(0.531, 2), bare(1.0, 2), bare(-0.02, 2)
    ('.53', '1.00', '-.02')
    """
    text = f"{_zero(number, digits):.{digits}f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _zero(number: float, digits: int) -> float:
    """The number, or 0 where it would be written as minus 0."""
    return number if round(number, digits) else 0.0


def in_words(value: object) -> str:
    """A value of plain data as text for people.

    >>> in_words({"first_day": "2026-03-02", "days": 7}), in_words([100, 10_000]), in_words(False)
    ('first day 2026-03-02, days 7', '100, 10,000', 'no')
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{str(name).replace('_', ' ')} {in_words(v)}" for name, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(in_words(v) for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return whole(value) if isinstance(value, int) and value >= _LONG else str(value)
