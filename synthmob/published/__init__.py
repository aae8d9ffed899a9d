"""Tables published by others, brought into the form of a release: a census, or an operator's k-suppressed extract."""

from __future__ import annotations

from synthmob.published.rows import bands_from_ages
from synthmob.published.tables import AXES, HOW_TO_READ, NO_CLAIM, privacy, take

__all__ = ["AXES", "HOW_TO_READ", "NO_CLAIM", "bands_from_ages", "privacy", "take"]
