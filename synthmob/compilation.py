"""Functions compiled by numba and kept on disk, for as long as everything stays as it was that they were made of.

A compiled function has constants and functions of other files in it. numba keeps it for as long as its own file stays as it is, and goes on
with what those others were before. Here it is kept under a stamp of them too: the value of every constant that it names, the source of all
functions that it calls, and what these name and call.

Imported only by what runs the kernels: numba takes two seconds to load.
"""

from __future__ import annotations

import builtins
import dis
import hashlib
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, ModuleType
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core import caching
from numba.core.dispatcher import Dispatcher

Function = TypeVar("Function", bound=Callable[..., Any])
NUMBA: Any = numba
"""numba, whose settings are made when it is imported, unseen by a checker of types."""
KEPT = f"{__name__}.Kept"
PLACES: tuple[Any, ...] = (
    caching.UserProvidedCacheLocator, caching.InTreeCacheLocator, caching.UserWideCacheLocator, caching.ZipCacheLocator)  # fmt: skip
"""Where numba keeps functions, the first that can be written to: NUMBA_CACHE_DIR, beside the file, the user's folder."""
PLAIN = (bool, int, float, complex, str, np.generic, type(None))
OURS = __name__.partition(".")[0]


def compiled(function: Function, signature: str | None = None, error_model: str = "python") -> Function:
    """The function compiled for whatever types it is called with, or for one `signature` alone, and kept on disk.

    Raises `TypeError` where it names something of which nobody could say whether it has changed.
    """
    usual = NUMBA.config.CACHE_LOCATOR_CLASSES
    NUMBA.config.CACHE_LOCATOR_CLASSES = KEPT  # numba asks once, and here: other people's functions are kept as they say
    try:
        return NUMBA.njit(signature, cache=True, nogil=True, error_model=error_model)(function)
    finally:
        NUMBA.config.CACHE_LOCATOR_CLASSES = usual


def inlined(function: Function) -> Function:
    """The function as a part of those that call it, compiled with each of them."""
    return NUMBA.njit(inline="always")(function)


class Kept:
    """What numba asks where a function is kept, by the name `KEPT`, and under which stamp that counts."""

    @staticmethod
    def from_function(function: Callable[..., Any], file: str) -> Any:
        """Numba's own place for a function, with our stamp beside its own; None where there is none that can be written to."""
        place = next(filter(None, (kind.from_function(function, file) for kind in PLACES)), None)
        if place is not None:
            stamp = place.get_source_stamp(), made_of(function)
            place.get_source_stamp = lambda: stamp
        return place


@cache
def made_of(function: Callable[..., Any]) -> str:
    """A digest of a function's source and of all that it names outside itself, as `compiled` keeps it under."""
    parts = [inspect.getsource(function)]
    for name, value in _named(function.__code__, function.__globals__):
        told = _told(value)
        if told is None:
            raise TypeError(
                f"{function.__qualname__} is to be compiled and names {name}, of which nobody could say whether it has changed: "
                "make it a number or a compiled function that stands above, or an argument.")  # fmt: skip
        parts.append(f"{name} = {told}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _named(code: CodeType, known: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The global names that code looks up, each with its value, those in modules by all of their names."""
    missing = object()
    name, value = "", missing
    for word in dis.get_instructions(code):
        if isinstance(value, ModuleType) and word.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            name, value = f"{name}.{word.argval}", getattr(value, word.argval)
            continue
        if name:
            yield name, value
        name, value = "", missing
        if word.opname == "LOAD_GLOBAL":
            name, value = word.argval, known.get(word.argval, getattr(builtins, word.argval, missing))
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _named(part, known)


def _told(value: Any) -> str | None:
    """A value in words that change when it does, None where there are none."""
    if isinstance(value, Dispatcher):
        return made_of(value.py_func)
    if isinstance(value, PLAIN):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, tuple):
        parts = [_told(part) for part in value]
        return None if None in parts else f"({', '.join(map(str, parts))})"
    module = getattr(value, "__module__", None)
    if callable(value) and module and module.partition(".")[0] != OURS:
        return f"{module}.{value.__name__}"  # of Python, numpy or numba, whose version numba looks at itself
    return None
