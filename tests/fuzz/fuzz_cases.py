"""One case: a copy of something right is spoilt and opened, and what comes of it is one of five things."""

from __future__ import annotations

import contextlib
import random
import shutil
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from fuzz_bases import CANARY, Bases
from fuzz_kinds import Kind

from synthmob.errors import SynthmobError

ACCEPTED, REFUSED, CRASH, HANG, PARTIAL = "accepted", "refused", "CRASH", "HANG", "PARTIAL"
OUTCOMES = (ACCEPTED, REFUSED, CRASH, HANG, PARTIAL)
LONGEST_MESSAGE = 600


class TookTooLongError(BaseException):
    """Raised by an alarm; nothing that catches errors catches it."""


def played(
    kind: Kind, rng: random.Random, bases: Bases, place: Path, opening: Callable[[], None] = lambda: None
) -> tuple[str, str]:
    """The outcome of a case in an empty folder `place`, and what was said: a refusal's sentence, or what went wrong.

    `opening` is called when the case is spoilt and about to be opened.
    """
    folder = place / "in" / bases[kind.base].name
    shutil.copytree(bases[kind.base], folder)
    kind.spoil(rng, folder)
    temporary = place / "temporary"
    temporary.mkdir()
    with _temporary(temporary), warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
        try:
            opening()
            kind.use(folder, bases)
            outcome, said = ACCEPTED, ""
        except SynthmobError as error:
            outcome, said = _judged(error)
            if {p.name for p in place.iterdir()} != {"in", "temporary"}:
                outcome, said = PARTIAL, f"left {sorted(p.name for p in place.iterdir())} behind: {said}"
        except TookTooLongError:
            outcome, said = HANG, "".join(traceback.format_exc().splitlines(keepends=True)[-7:-1])
        except Exception as error:  # noqa: BLE001  (whatever it is, it is what we look for)
            outcome, said = CRASH, f"{type(error).__name__}: {str(error)[:300]}\n" + "".join(traceback.format_exc()[-1500:])
    if outcome in (ACCEPTED, REFUSED) and any(temporary.iterdir()):
        outcome, said = PARTIAL, f"left {[p.name for p in temporary.iterdir()]} in the temporary folder"
    return outcome, said


def one_sentence(error: SynthmobError) -> bool:
    """Whether a refusal has the exit code of bad input and says one sentence that a terminal can show."""
    said = str(error)
    return error.exit_code == 2 and said.isprintable() and said.endswith(".") and len(said) <= LONGEST_MESSAGE


def _judged(error: SynthmobError) -> tuple[str, str]:
    """Whether a refusal is one clear sentence that gives nobody away."""
    said = str(error)
    if not one_sentence(error):
        return CRASH, f"no sentence: {said!r}"
    return (CRASH, f"names a subscriber: {said!r}") if CANARY in said else (REFUSED, said)


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[None]:
    """Temporary files go here meanwhile, to be seen if they stay."""
    import tempfile

    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def removed(place: Path) -> None:
    """Remove a case's folder, whatever lies in it."""
    shutil.rmtree(place, ignore_errors=True)
