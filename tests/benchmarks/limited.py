"""A program with so many seconds of processor time: a limit on the wall would end on a busy machine what an idle one lets end."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Sequence

PATIENCE = 12
"""So many times its processor time a program may take on the wall, for one that waits for ever uses none."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Small matrices in many threads of BLAS use more processor time, not less of the wall."""


def run(words: Sequence[object], limit_s: int) -> tuple[str, float]:
    """What a program printed and the CPU seconds that it took; RuntimeError says why it did not end."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s + 5))

    before = _children_s()
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=PATIENCE * limit_s, check=False, preexec_fn=limit,
        env={**os.environ, **ONE_THREAD})  # fmt: skip
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise RuntimeError(f"not at its end after {limit_s} CPU s, or out of memory")
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return done.stdout, _children_s() - before


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
