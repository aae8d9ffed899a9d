"""The verb `replay`, like the others in `cli`: arguments in, one step, its result told."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import Any

from synthmob.errors import InputError

MAX = "max"


def add(verbs: Any, epilog: str) -> None:
    """Add the verb to the parser's others."""
    p = verbs.add_parser("replay", help="what phones did, sent in time order to a stream, at a multiple of real time", epilog=epilog)
    p.add_argument("out", type=Path, metavar="OUT")
    p.add_argument("--to", required=True, metavar="URL", help="redis://host:port/STREAM, mqtt://host:port/TOPIC, http://..., or stdout")
    p.add_argument("--speed", default="1", metavar="X", help="seconds of events a second, or max (default 1: as it happened)")
    p.add_argument("--cursor", type=Path, metavar="FILE", help="where it notes how far it came, and goes on from")
    p.add_argument("--from", dest="start", metavar="TIME", help="first local time, such as 2026-03-06T08:00")
    p.add_argument("--until", metavar="TIME", help="local time before which it ends")
    p.add_argument("--timezone", metavar="NAME", help="time zone of the local clock (default that of the period)")
    p.add_argument("--max-length", type=int, metavar="N", help="for redis: entries that the stream keeps, about (default all)")
    p.add_argument("--max-lag", type=int, metavar="N", help="for redis: wait while a group of readers has more than N to acknowledge")
    p.set_defaults(run=run)


def run(a: argparse.Namespace) -> None:
    """Send the events, and say how that went: on stderr, for stdout may be the stream."""
    from synthmob import terminal
    from synthmob.pipeline.replaying import replay
    from synthmob.replay.order import Window
    from synthmob.replay.sink import Options

    window, options = Window(_time(a.start, "--from"), _time(a.until, "--until")), Options(a.max_length, a.max_lag)
    with terminal.rows_progress("events sent") as progress:
        done = replay(
            a.out, a.to, speed=_speed(a.speed), cursor=a.cursor, window=window, timezone=a.timezone, options=options, progress=progress)
    rate = done.sent / done.seconds if done.seconds else 0.0
    how = f"{rate:,.0f} a second, at most {done.behind_s:.1f} s behind"
    terminal.say(f"{done.sent:,} events in {done.seconds:.1f} s, {how}; each {done.promise}")


def _speed(text: str) -> float | None:
    try:
        return None if text == MAX else float(text)
    except ValueError:
        raise InputError(f"The speed is {text!r}: give seconds of events a second, such as 60, or max.") from None


def _time(text: str | None, name: str) -> datetime.datetime | None:
    try:
        when = None if text is None else datetime.datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{name} is {text!r}: give a local time such as 2026-03-06T08:00.") from None
    if when is not None and when.tzinfo is not None:
        raise InputError(f"{name} has an offset to UTC: give a local time such as 2026-03-06T08:00.")
    return when
