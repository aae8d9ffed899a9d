"""Everything that can be turned in the made-up city: its centres, its households, their habits, their phones.

The figures are plausible, not measured: what matters is that the process is known, and that it is not the model's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Centre(NamedTuple):
    """A centre: where it is, how many homes, offices and shops gather around it, and how far that reaches."""

    name: str
    lon: float
    lat: float
    homes: float
    offices: float
    shops: float
    reach_km: float


CENTRES = (
    Centre("Charing Cross", -0.125, 51.509, 3.2, 24.0, 16.0, 5.5),
    Centre("City", -0.088, 51.515, 1.2, 22.0, 4.0, 2.2),
    Centre("Docklands", -0.020, 51.504, 1.4, 9.0, 3.0, 2.0),
    Centre("Stratford", -0.004, 51.541, 1.6, 2.6, 5.0, 3.0),
    Centre("Camden", -0.143, 51.539, 1.8, 2.2, 4.0, 2.5),
    Centre("Brixton", -0.114, 51.462, 2.0, 0.8, 3.0, 3.0),
    Centre("Croydon", -0.098, 51.376, 1.6, 2.6, 4.5, 3.0),
    Centre("Kingston", -0.300, 51.410, 1.1, 1.3, 4.0, 3.0),
    Centre("Ealing", -0.302, 51.515, 1.3, 1.4, 3.0, 2.8),
    Centre("Hammersmith", -0.224, 51.492, 1.5, 2.6, 3.5, 2.5),
    Centre("Wembley", -0.296, 51.552, 1.4, 1.0, 2.5, 2.8),
    Centre("Harrow", -0.337, 51.580, 0.9, 0.8, 2.2, 3.0),
    Centre("Heathrow", -0.454, 51.470, 0.3, 4.5, 0.8, 2.2),
    Centre("Enfield", -0.082, 51.652, 0.9, 0.8, 2.0, 3.0),
    Centre("Ilford", 0.070, 51.559, 1.3, 0.8, 2.4, 2.8),
    Centre("Romford", 0.183, 51.577, 0.9, 1.0, 3.0, 3.0),
    Centre("Bromley", 0.016, 51.403, 0.9, 1.0, 3.0, 3.2),
    Centre("Woolwich", 0.068, 51.490, 1.0, 0.6, 2.0, 2.5),
)


class Rates(NamedTuple):
    """What the days are made of; shares are per person and day, times in minutes from midnight, lengths in minutes."""

    sick: float = 0.018
    still_sick: float = 0.55
    leave: float = 0.055
    away: float = 0.012
    start_min: float = 532.0
    start_spread_min: float = 48.0
    start_jitter_min: float = 9.0
    full_day_min: float = 515.0
    part_day_min: float = 275.0
    lunch_out: float = 0.22
    meeting: float = 0.05
    coffee: float = 0.07
    shop_after_work: float = 0.19
    drink_after_work: float = 0.11
    gym: float = 0.36
    club: float = 0.28
    evening_out: float = 0.10
    visit: float = 0.09
    doctor: float = 0.022
    errand: float = 0.09
    dog_or_park: float = 0.13
    weekly_shop: float = 0.80
    worship: float = 0.11
    night_out: float = 0.17
    day_trip: float = 0.035
    idle_day: float = 0.16
    outings: float = 1.75
    explore: float = 0.22
    car_kmh: float = 27.0
    transit_kmh: float = 25.0
    detour: float = 1.27


@dataclass(frozen=True)
class WorldParameters:
    """The whole process. `rates` goes into the compiled kernel; the rest shapes people, places and phones."""

    centres: tuple[Centre, ...] = CENTRES
    rates: Rates = field(default_factory=Rates)
    household_shares: tuple[float, ...] = (0.10, 0.09, 0.13, 0.11, 0.23, 0.07, 0.09, 0.12, 0.06)
    """Single young, middle, old; couple young, with children, lone parent; couple older, retired; shared flat."""
    background_homes: float = 0.45
    zone_noise: float = 0.45
    sector_shares_men: tuple[float, ...] = (0.45, 0.24, 0.19, 0.12)
    sector_shares_women: tuple[float, ...] = (0.42, 0.06, 0.24, 0.28)
    """Office, industry, service, public."""
    vacancies_per_worker: float = 1.12
    vacancies_seen: int = 14
    time_weight_per_min: float = 0.075
    from_home: float = 0.05
    moving_job: float = 0.04
    relative_outside: float = 0.14
    home_working: float = 0.34
    calls_per_day: float = 2.1
    messages_per_day: float = 1.3
    sessions_per_day: float = 9.5
    background_per_day: float = 5.5
    phone_off: float = 0.012
    flapping: float = 0.04
