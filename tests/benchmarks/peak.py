"""The most memory that a process has held, its own alone."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_gb() -> float:
    """Peak memory of this process in GB.

    What `getrusage` says is on Linux at least what the process held that started it, for it is not set back when a program is loaded.
    """
    if not STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "linux" else 2**30)
    return next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith("VmHWM")) / 2**20
