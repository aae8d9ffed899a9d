"""The columns of the integer arrays that the kernels write: one row a stay, one row an event."""

from __future__ import annotations

OUT_PERSON, OUT_DAY, OUT_SEQ, OUT_PURPOSE, OUT_ZONE, OUT_START, OUT_END = range(7)
"""Of a stay: the person's number, day, order in the day, purpose and zone codes, start and end in minutes."""
N_OUT = 7

PERSON, TIME, ZONE, KIND, DIRECTION, DURATION, VOLUME, APP = range(8)
"""Of an event: the person's number, seconds since the first midnight, zone, kind, direction, seconds, kB, app."""
N_EVENT = 8
NOT_SAID = -1
"""The code of what an event does not have, and of a zone outside the city."""
