"""Memory that a block has used, kept for the next one.

glibc gives large arrays back to the system when they are freed, which hands them out again a page at a time and zeroed: of the time that
a block takes that is a fifth. Elsewhere nothing is done.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES, LARGEST_BYTES = 1 << 28, 1 << 25
"""Up to so much is kept free, and arrays up to so large are not asked of the system one by one (the most that glibc takes)."""


def keep_freed() -> bool:
    """Tell the C library of this process to keep freed memory; whether it could be told.

    >>> keep_freed() or sys.platform != "linux"
    True
    """
    if sys.platform != "linux":
        return False
    try:
        tell = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library, musl
        return False
    return bool(tell(M_MMAP_THRESHOLD, LARGEST_BYTES)) and bool(tell(M_TRIM_THRESHOLD, KEPT_BYTES))
