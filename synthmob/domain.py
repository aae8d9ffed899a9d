"""The public axes of every count: attributes, purposes, day types, times, distances and activity chains.

They come from this file (or from a plan that replaces them), never from the records: an axis learnt from data is a leak
with no line in the ledger. A value outside the categories of its axis counts as the axis's last category.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from synthmob.errors import PlanError

SEX = ("female", "male", "other")
AGE_BAND = ("0-15", "16-24", "25-34", "35-44", "45-54", "55-64", "65+", "other")
WORKER = ("yes", "no")
PURPOSES = ("home", "work", "education", "shop", "leisure", "other")
MODES = ("car", "vehicle passenger", "walking", "bicycle", "train", "bus", "tram", "other")
KINDS = ("call", "sms", "data", "other")
DIRECTIONS = ("in", "out", "none")
APPS = ("web", "messaging", "social", "video", "music", "mail", "maps", "shopping", "games", "news", "finance", "travel", "health",
        "education", "work", "cloud", "system", "other")
"""Web and app categories: those of the App Store and of SensorKit (developer.apple.com/documentation/sensorkit/srdeviceusagereport,
read in November 2026), merged by theme, with web, mail and messaging, which that list has inside others, cloud and system."""
DAY_TYPES = ("weekday", "saturday", "sunday")
MINUTES_PER_DAY = 1440
OUTSIDE = "outside"
"""The zone of everything outside the zoning: one more public zone, without a geometry."""
UNKNOWN = "unknown"
"""The home or work of a person without enough evidence for one: a category, not a dropped person."""

DISTANCE_EDGES_KM = (0.0, 0.5, 1.0, 2.0, 3.0, 4.5, 6.5, 9.0, 12.0, 16.0, 22.0, 30.0, 45.0, 70.0)
DURATION_EDGES_MIN = (0, 5, 10, 15, 20, 30, 45, 60, 75, 90, 105, 120, 150, 180, 210, 240, 300, 360, 420, 450, 480,
                      510, 540, 570, 600, 660, 720, 900, 1080, 1260)
EVENT_DURATION_EDGES_S = (0, 1, 5, 15, 30, 60, 120, 240, 480, 960, 1920, 3840, 7680)
VOLUME_EDGES_KB = (0, 1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576)
TRAVEL_EDGES_MIN = (0, 3, 5, 7, 9, 11, 13, 16, 21, 26, 31, 41, 51, 61, 81, 101, 131, 181)
MAX_CHAIN_STAYS = 8
MOST_PURPOSES = 62
"""A set of them fits into a whole number of 64 bits."""
MOST_CHAINS = 10**12
"""With every other axis of a table of chains the index of a cell still fits a whole number of 64 bits."""


@dataclass(frozen=True)
class Axis:
    """One axis of a count: a name and the label of every code, in code order.

    >>> Axis("sex", SEX).size
    3
    """

    name: str
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise PlanError(f"Axis '{self.name}' needs at least one label and no label twice: give it distinct labels.")

    @property
    def size(self) -> int:
        """How many codes the axis has."""
        return len(self.labels)

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {label: code for code, label in enumerate(self.labels)}

    def label(self, code: int) -> str:
        """The label of a code."""
        return self.labels[code]

    def code(self, label: str) -> int:
        """The code of a label; KeyError where the axis has no such label."""
        return self._codes[label]

    def describe(self) -> dict[str, object]:
        """What `release.json` says of this axis."""
        return {"name": self.name, "labels": list(self.labels)}


PUPILS, OF_AGE = "education of pupils", 18
"""The segment of education by people in age bands that end below OF_AGE, years: schools lie in every neighbourhood and begin together,
colleges do neither."""

ERRAND = "errand"
"""Every purpose but home and duties, in outlines of chains."""


@dataclass(frozen=True)
class ChainAxis:
    """Every ordered sequence of purposes of a day, from 1 to `max_stays` stays, as one public axis.

    A chain is coded as an offset for its length plus its digits in base len(purposes); longer days have no code and
    are counted by the tables of stays per day alone.

    >>> axis = ChainAxis("chain", ("home", "work"), 3)
    >>> axis.size, axis.label(axis.code("home-work-home"))
    (14, 'home-work-home')
    """

    name: str
    purposes: tuple[str, ...]
    max_stays: int

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """The first code of the chains with 1, 2, ... stays, and the size of the axis as last entry."""
        base, out = len(self.purposes), [0]
        for stays in range(1, self.max_stays + 1):
            out.append(out[-1] + base**stays)
        return tuple(out)

    @property
    def size(self) -> int:
        """How many chains there are."""
        return self.offsets[-1]

    def stays(self, code: int) -> tuple[int, ...]:
        """The purpose codes of a chain, first stay first."""
        length = next(k for k, end in enumerate(self.offsets[1:], start=1) if code < end)
        rest, digits = code - self.offsets[length - 1], []
        for _ in range(length):
            rest, digit = divmod(rest, len(self.purposes))
            digits.append(digit)
        return tuple(reversed(digits))

    def encode(self, stays: Sequence[int]) -> int:
        """The code of a sequence of purpose codes; ValueError where it is empty or too long."""
        if not 1 <= len(stays) <= self.max_stays:
            raise ValueError(f"a chain has 1 to {self.max_stays} stays, not {len(stays)}")
        code = 0
        for purpose in stays:
            code = code * len(self.purposes) + purpose
        return code + self.offsets[len(stays) - 1]

    def label(self, code: int) -> str:
        """The purposes of a chain joined by hyphens."""
        return "-".join(self.purposes[p] for p in self.stays(code))

    def code(self, label: str) -> int:
        """The code of a label; KeyError where the axis has no such chain."""
        try:
            return self.encode([self.purposes.index(p) for p in label.split("-")])
        except ValueError:
            raise KeyError(label) from None

    def describe(self) -> dict[str, object]:
        """What `release.json` says of this axis."""
        return {"name": self.name, "chain_of": list(self.purposes), "max_stays": self.max_stays}


AnyAxis = Axis | ChainAxis


def bin_labels(edges: Sequence[float]) -> tuple[str, ...]:
    """Labels of right-open bins whose last one is open above.

    >>> bin_labels((0, 5, 10))
    ('0-5', '5-10', '10+')
    """
    inner = [f"{a:g}-{b:g}" for a, b in pairwise(edges)]
    return (*inner, f"{edges[-1]:g}+")


@dataclass(frozen=True)
class Domain:
    """The categories that a plan counts in; the defaults are the standard ones."""

    sex: tuple[str, ...] = SEX
    age_band: tuple[str, ...] = AGE_BAND
    purposes: tuple[str, ...] = PURPOSES
    modes: tuple[str, ...] = MODES
    apps: tuple[str, ...] = APPS
    distance_edges_km: tuple[float, ...] = DISTANCE_EDGES_KM
    duration_edges_min: tuple[int, ...] = DURATION_EDGES_MIN
    travel_edges_min: tuple[int, ...] = TRAVEL_EDGES_MIN
    max_chain_stays: int = MAX_CHAIN_STAYS
    attributes: tuple[str, ...] = field(default=("sex", "age_band"))
    """Which columns of SUBSCRIBERS the plan reads: a subset of sex, age_band."""

    def __post_init__(self) -> None:
        if self.purposes[:2] != ("home", "work"):
            raise PlanError("The purposes of a plan must begin with home and work: put these two first.")
        if len(self.purposes) > MOST_PURPOSES:
            raise PlanError(f"The plan has {len(self.purposes)} purposes: at most {MOST_PURPOSES} can be counted, merge some.")
        for name in ("distance_edges_km", "duration_edges_min", "travel_edges_min"):
            edges = getattr(self, name)
            if not edges or edges[0] != 0 or any(b <= a for a, b in pairwise(edges)):
                raise PlanError(f"The plan's {name} must start at 0 and rise: got {list(edges)[:5]}...")
        if unknown := set(self.attributes) - {"sex", "age_band"}:
            raise PlanError(f"The plan names the attribute {min(unknown)!r}: only sex and age_band can be read.")
        if self.chain_axis.size > MOST_CHAINS:
            raise PlanError(
                f"The plan's {len(self.purposes)} purposes make {self.chain_axis.size:.1e} chains of up to {self.max_chain_stays} "
                f"stays, more than {MOST_CHAINS:.0e}: give fewer purposes or a lower max_chain_stays.")

    @property
    def duties(self) -> tuple[int, ...]:
        """The codes of the purposes that a day is built around: work and, where there is one, education."""
        return tuple(k for k, p in enumerate(self.purposes) if p in ("work", "education"))

    @property
    def pupil_bands(self) -> tuple[int, ...]:
        """The codes of the age bands of pupils: those that end below 18 by their label, such as 0-15; none where nobody's age is known
        or education is no purpose.

        >>> Domain().pupil_bands, Domain(attributes=("sex",)).pupil_bands
        ((0,), ())
        """
        if "age_band" not in self.attributes or "education" not in self.purposes or PUPILS in self.purposes:
            return ()
        ends = [re.fullmatch(r"\d+ ?- ?(\d+)", label) for label in self.age_band]
        return tuple(k for k, end in enumerate(ends) if end is not None and int(end[1]) < OF_AGE)

    @property
    def segments(self) -> tuple[str, ...]:
        """The purposes and, where pupils are known, their education behind them: what tables of where and when tell apart.

        >>> Domain(purposes=("home", "work", "education")).segments
        ('home', 'work', 'education', 'education of pupils')
        """
        return (*self.purposes, PUPILS) if self.pupil_bands else self.purposes

    @property
    def purpose_of(self) -> tuple[int, ...]:
        """The purpose of every segment."""
        plain = tuple(range(len(self.purposes)))
        return (*plain, self.purposes.index("education")) if self.pupil_bands else plain

    @property
    def segment_duties(self) -> tuple[int, ...]:
        """The codes of the segments that are duties."""
        return tuple(k for k, purpose in enumerate(self.purpose_of) if purpose in self.duties)

    @property
    def chain_axis(self) -> ChainAxis:
        """The axis of activity chains."""
        return ChainAxis("chain", self.purposes, self.max_chain_stays)

    @property
    def outline_axis(self) -> ChainAxis:
        """The axis of outlines of chains: home, duties and, all alike, errands."""
        duties = tuple(self.purposes[k] for k in self.duties)
        return ChainAxis("outline", (self.purposes[0], *duties, ERRAND), self.max_chain_stays)

    @property
    def outline_of(self) -> tuple[int, ...]:
        """What each purpose is in an outline."""
        duties = self.duties
        return tuple(0 if k == 0 else duties.index(k) + 1 if k in duties else len(duties) + 1 for k in range(len(self.purposes)))
