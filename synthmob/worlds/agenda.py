"""What a person means to do on a day, by role and weekday: obligations with times, then what habit and mood add.

An agenda is a float array of shape (25, 5), a row a thing to do: begin and length in minutes (begin counts from the
first midnight of the period), purpose code, place, and whether it is an obligation. Its last row counts the others.
"""

from __future__ import annotations

from synthmob.worlds import habits as h
from synthmob.worlds import people as p
from synthmob.worlds import places as at
from synthmob.worlds.compiled import Draws, compiled, compiled_as, exponential, normal, uniform
from synthmob.worlds.parameters import Rates
from synthmob.zones import FloatArray, IntArray

HOME, WORK, EDUCATION, SHOP, LEISURE, OTHER = range(6)
HERE, ON_THE_WAY, AROUND_HOME, IN_TOWN, ANOTHER_SITE, OUT_OF_TOWN = range(100, 106)
"""Places that are found when the time comes, instead of a number of the person's own places."""
ROWS = 24
BEGIN, MINUTES, PURPOSE, PLACE, FIRM = range(5)


@compiled_as("void(float64[:, ::1], float64, float64, int64, int64, boolean)")
def add(agenda: FloatArray, when: float, minutes: float, purpose: int, place: int, firm: bool) -> None:
    """Write the next row; what no longer fits on the page is forgotten."""
    n = int(agenda[ROWS, 0])
    if n < ROWS:
        agenda[n, BEGIN] = when
        agenda[n, MINUTES] = max(minutes, 4.0)
        agenda[n, PURPOSE] = purpose
        agenda[n, PLACE] = place
        agenda[n, FIRM] = 1.0 if firm else 0.0
        agenda[ROWS, 0] += 1.0


@compiled
def in_order(agenda: FloatArray) -> None:
    """Sort the rows by begin, stably: an insertion sort, which compiles in a tenth of numpy's time."""
    for row in range(1, int(agenda[ROWS, 0])):
        k = row
        while k > 0 and agenda[k - 1, BEGIN] > agenda[k, BEGIN]:
            for column in range(5):
                agenda[k, column], agenda[k - 1, column] = agenda[k - 1, column], agenda[k, column]
            k -= 1


@compiled
def on(mask: float, weekday: int) -> bool:
    """Whether a set of weekdays holds this one."""
    return (int(mask) >> weekday) & 1 == 1


@compiled
def sites(agenda: FloatArray, start: float, end: float, draws: Draws) -> None:
    """Work that goes from site to site: sometimes the depot first, then two to four clients."""
    clients = 2 + int(3 * uniform(draws))
    depot = uniform(draws) < 0.5
    each = (end - start) / (clients + (1 if depot else 0))
    for k in range(clients + (1 if depot else 0)):
        add(agenda, start + k * each, each - 22, WORK, at.WORK if depot and k == 0 else ANOTHER_SITE, True)


@compiled
def after_work(agenda: FloatArray, rates: Rates, habit: FloatArray, weekday: int, end: float, draws: Draws) -> None:
    """Between work and home: the child, a shop on the way, a drink with colleagues, the gym."""
    late = end % 1440 > 1110
    if on(habit[h.ESCORT_DAYS], weekday) and end % 1440 < 1030 and uniform(draws) < 0.75:
        add(agenda, end + 5, 7.0, OTHER, at.CHILD_SCHOOL, False)
    if habit[h.SHOP_DAY] == weekday and not late:
        add(agenda, end + 25, 30 + 25 * uniform(draws), SHOP, at.SUPERMARKET, False)
    elif uniform(draws) < rates.shop_after_work:
        known = uniform(draws) > habit[h.EXPLORES] + 0.35
        add(agenda, end + 15, 6 + 14 * exponential(draws), SHOP, at.CORNER if known else ON_THE_WAY, False)
    favour = 2.0 if weekday == 4 else (1.5 if weekday == 3 else 0.75)
    if uniform(draws) < rates.drink_after_work * favour * habit[h.SOCIAL]:
        add(agenda, end + 8, 50 + 60 * exponential(draws), LEISURE, HERE if uniform(draws) < 0.65 else at.PUB, False)
    if on(habit[h.GYM_DAYS], weekday):
        if habit[h.GYM_EARLY] > 0:
            add(agenda, end - habit[h.LENGTH] - 105, 55 + 20 * uniform(draws), LEISURE, at.GYM, False)
        else:
            add(agenda, end + 30, 55 + 30 * uniform(draws), LEISURE, at.GYM, False)


@compiled
def workday(
    agenda: FloatArray, rates: Rates, habit: FloatArray, moving: bool, weekday: int, base: float, draws: Draws
) -> None:
    """A day at work: perhaps a coffee, one or more work stays, perhaps lunch out, and what follows on the way home."""
    start = base + habit[h.START] + rates.start_jitter_min * normal(draws)
    if uniform(draws) < 0.05:
        start += 40 + 90 * uniform(draws)
    end = start + habit[h.LENGTH] + 22 * normal(draws)
    middle = start + (end - start) * (0.40 + 0.2 * uniform(draws))
    if uniform(draws) < rates.coffee:
        add(agenda, start - 14, 8.0, LEISURE, at.LUNCH, False)
    if moving:
        sites(agenda, start, end, draws)
        after_work(agenda, rates, habit, weekday, end, draws)
        return
    if uniform(draws) < rates.meeting:
        add(agenda, start, middle - start, WORK, at.WORK, True)
        add(agenda, middle + 30, 45 + 90 * uniform(draws), WORK, ANOTHER_SITE, False)
        if uniform(draws) < 0.55:
            add(agenda, middle + 190, max(end - middle - 190, 30.0), WORK, at.WORK, False)
    elif uniform(draws) < habit[h.LUNCH_OUT] and end - start > 330:
        lunch = 22 + 30 * uniform(draws)
        add(agenda, start, middle - start, WORK, at.WORK, True)
        purpose = SHOP if uniform(draws) < 0.28 else LEISURE
        add(agenda, middle + 4, lunch, purpose, HERE if uniform(draws) < 0.5 else at.LUNCH, False)
        add(agenda, middle + lunch + 12, end - middle - lunch - 12, WORK, at.WORK, True)
    else:
        add(agenda, start, end - start, WORK, at.WORK, True)
    after_work(agenda, rates, habit, weekday, end, draws)


@compiled
def school(agenda: FloatArray, habit: FloatArray, age: int, base: float, draws: Draws) -> None:
    """A pupil's day: lessons, then perhaps a shop with friends, sports, or somebody's home."""
    end = base + 920 + (12 if age > 11 else 0) + 6 * normal(draws)
    start = base + 522 + 5 * normal(draws)
    add(agenda, start, end - start, EDUCATION, at.SCHOOL, True)
    if age > 10 and uniform(draws) < 0.16:
        add(agenda, end + 6, 6 + 9 * exponential(draws), SHOP, HERE if uniform(draws) < 0.5 else at.CORNER, False)
    mood = uniform(draws)
    if mood < 0.16 * habit[h.ACTIVE] + 0.10:
        add(
            agenda,
            end + 25 + 60 * uniform(draws),
            60 + 30 * uniform(draws),
            LEISURE,
            at.CLUB if mood < 0.13 else at.PARK,
            False,
        )
    elif mood > 0.86:
        add(agenda, end + 20 + 50 * uniform(draws), 60 + 80 * uniform(draws), LEISURE, at.FRIEND, False)


@compiled
def lectures(agenda: FloatArray, habit: FloatArray, person: int, weekday: int, base: float, draws: Draws) -> None:
    """A student's day: the timetable of the weekday, perhaps a break in town, perhaps the library."""
    slot = (person * 7 + weekday * 5) % 4
    start = base + 545 + 60 * slot + 6 * normal(draws)
    minutes = 110.0 + 60.0 * ((person // 4 + weekday) % 4)
    add(agenda, start, minutes, EDUCATION, at.SCHOOL, True)
    if uniform(draws) < 0.38:
        add(
            agenda,
            start + minutes + 8,
            25 + 30 * uniform(draws),
            LEISURE if uniform(draws) < 0.7 else SHOP,
            HERE,
            False,
        )
        if uniform(draws) < 0.6:
            add(agenda, start + minutes + 70, 60 + 120 * uniform(draws), EDUCATION, at.SCHOOL, False)
    if uniform(draws) < 0.14 * habit[h.SOCIAL]:
        add(agenda, start + minutes + 200, 80 + 60 * exponential(draws), LEISURE, HERE, False)


@compiled
def outing(agenda: FloatArray, habit: FloatArray, when: float, weekend: bool, draws: Draws) -> None:
    """One thing to do on free time: what it is, where, for how long; a third of the time something small follows."""
    u, known = uniform(draws), uniform(draws) > habit[h.EXPLORES]
    if u < 0.30:
        minutes = 10 + 16 * exponential(draws)
        add(agenda, when, minutes, SHOP, at.CORNER if known else AROUND_HOME, False)
    elif u < (0.46 if weekend else 0.38):
        minutes = 35 + 45 * exponential(draws)
        add(agenda, when, minutes, SHOP, at.MALL if known else IN_TOWN, False)
    elif u < 0.58:
        minutes = 30 + 45 * exponential(draws)
        add(agenda, when, minutes, LEISURE, at.PARK if known else AROUND_HOME, False)
    elif u < 0.70:
        minutes = 8 + 18 * exponential(draws)
        add(agenda, when, minutes, OTHER, AROUND_HOME if uniform(draws) < 0.6 else at.CHILD_SCHOOL, False)
    elif u < 0.82:
        minutes = 40 + 50 * exponential(draws)
        add(agenda, when, minutes, LEISURE, at.LUNCH if u < 0.74 else (at.PUB if known else IN_TOWN), False)
    elif u < 0.93:
        minutes = 60 + 75 * exponential(draws)
        add(agenda, when, minutes, LEISURE, at.FRIEND if u < 0.89 else at.FRIEND_2, False)
    else:
        minutes = 18 + 30 * exponential(draws)
        add(agenda, when, minutes, OTHER, at.SURGERY, False)
    if uniform(draws) < 0.33:
        purpose = SHOP if uniform(draws) < 0.6 else (LEISURE if uniform(draws) < 0.6 else OTHER)
        add(
            agenda,
            when + minutes + 6,
            6 + 16 * exponential(draws),
            purpose,
            HERE if uniform(draws) < 0.6 else ON_THE_WAY,
            False,
        )


@compiled
def shift(agenda: FloatArray, habit: FloatArray, day: int, base: float, draws: Draws) -> None:
    """An early, late or night shift; most people change every week."""
    kind = int(habit[h.SHIFT]) if habit[h.FIXED_SHIFT] > 0 else (int(habit[h.SHIFT]) + (day + 7) // 7) % 3
    start = 360.0 if kind == 0 else (840.0 if kind == 1 else 1310.0)
    add(agenda, base + start + 7 * normal(draws), 482 + 9 * normal(draws), WORK, at.WORK, True)
    free_from = 930.0 if kind == 0 else (580.0 if kind == 1 else 900.0)
    if uniform(draws) < 0.55:
        outing(agenda, habit, base + free_from + 150 * uniform(draws), False, draws)


@compiled
def free_day(
    agenda: FloatArray, rates: Rates, habit: FloatArray, weekday: int, base: float, share: float, draws: Draws
) -> None:
    """A day without work: worship, the weekly shop, the family, a trip out of town, as many outings as one likes."""
    weekend = weekday >= 5
    if weekday == 6 and habit[h.WORSHIPS] > 0 and uniform(draws) < 0.8:
        add(agenda, base + 600 + 12 * normal(draws), 80 + 10 * normal(draws), OTHER, at.WORSHIP, True)
    if habit[h.SHOP_DAY] == weekday and uniform(draws) < 0.85:
        add(
            agenda,
            base + habit[h.RISE] + 60 * exponential(draws),
            35 + 30 * uniform(draws),
            SHOP,
            at.SUPERMARKET,
            False,
        )
    if weekend and uniform(draws) < rates.day_trip * habit[h.ACTIVE]:
        add(agenda, base + 590 + 60 * uniform(draws), 300 + 150 * uniform(draws), LEISURE, OUT_OF_TOWN, False)
        return
    if uniform(draws) < (0.13 if weekday == 6 else 0.04):
        add(agenda, base + 745 + 25 * normal(draws), 150 + 50 * normal(draws), LEISURE, at.RELATIVE, False)
    if on(habit[h.GYM_DAYS], weekday):
        add(agenda, base + habit[h.RISE] + 30 * normal(draws), 60 + 20 * uniform(draws), LEISURE, at.GYM, False)
    if uniform(draws) < rates.idle_day:
        return
    left = rates.outings * habit[h.ACTIVE] * share
    while uniform(draws) < left / (1.0 + left):
        outing(agenda, habit, base + habit[h.RISE] + 20 + 470 * uniform(draws) ** 1.3, weekend, draws)


@compiled
def evening(
    agenda: FloatArray, rates: Rates, habit: FloatArray, role: int, weekday: int, base: float, draws: Draws
) -> None:
    """After dinner: the club on its day, friends, a restaurant or the pub, and for the young a night in town."""
    mood, friday = habit[h.SOCIAL], weekday == 4 or weekday == 5
    if habit[h.CLUB_DAY] == weekday and uniform(draws) < 0.8:
        add(agenda, base + 1155 + 20 * normal(draws), 95 + 15 * normal(draws), LEISURE, at.CLUB, False)
        return
    if role == p.PUPIL:
        return
    if friday and uniform(draws) < rates.night_out * habit[h.YOUTH] * mood:
        add(agenda, base + 1270 + 35 * normal(draws), 130 + 80 * exponential(draws), LEISURE, IN_TOWN, False)
        return
    if uniform(draws) < rates.evening_out * mood * (1.7 if friday else 0.8):
        known = uniform(draws) > habit[h.EXPLORES] + 0.3
        place = at.PUB if known else (IN_TOWN if uniform(draws) < 0.5 else AROUND_HOME)
        add(agenda, base + 1170 + 28 * normal(draws), 75 + 50 * exponential(draws), LEISURE, place, False)
        return
    if uniform(draws) < rates.visit * mood:
        add(agenda, base + 1140 + 35 * normal(draws), 80 + 70 * exponential(draws), LEISURE, at.FRIEND, False)
        return


@compiled
def plan(
    agenda: FloatArray,
    rates: Rates,
    habit: FloatArray,
    about: IntArray,
    leave: bool,
    person: int,
    day: int,
    weekday: int,
    draws: Draws,
) -> None:
    """Add what one person means to do on a day, in order of begin; `about` is role, age, has work, moving."""
    role, base = about[0], 1440.0 * day
    working = about[2] > 0 and on(habit[h.WORK_DAYS], weekday) and not leave
    from_home = working and role != p.SHIFTS and on(habit[h.HOME_DAYS], weekday)
    if on(habit[h.ESCORT_DAYS], weekday) and not leave and role != p.SHIFTS:
        add(agenda, base + 521 + 4 * normal(draws), 6 + 4 * uniform(draws), OTHER, at.CHILD_SCHOOL, True)
        if not working or from_home:
            add(agenda, base + 921 + 4 * normal(draws), 8 + 4 * uniform(draws), OTHER, at.CHILD_SCHOOL, True)
    if working and role == p.SHIFTS:
        shift(agenda, habit, day, base, draws)
    elif working and not from_home:
        workday(agenda, rates, habit, about[3] > 0, weekday, base, draws)
    elif role == p.PUPIL and weekday < 5 and not leave:
        school(agenda, habit, about[1], base, draws)
    elif role == p.STUDENT and on(habit[h.WORK_DAYS], weekday) and not leave:
        lectures(agenda, habit, person, weekday, base, draws)
    else:
        free_day(agenda, rates, habit, weekday, base, 0.45 if from_home else 1.0, draws)
    if uniform(draws) < rates.doctor:
        add(agenda, base + 560 + 380 * uniform(draws), 20 + 20 * exponential(draws), OTHER, at.SURGERY, False)
    evening(agenda, rates, habit, role, weekday, base, draws)
    in_order(agenda)
