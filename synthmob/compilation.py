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
from llvmlite import ir
from numba import types
from numba.core import caching, cgutils
from numba.core.dispatcher import Dispatcher
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])
NUMBA: Any = numba
"""numba, whose settings are made when it is imported, unseen by a checker of types."""
KEPT = f"{__name__}.Kept"
PLACES: tuple[Any, ...] = (
    caching.UserProvidedCacheLocator, caching.InTreeCacheLocator, caching.UserWideCacheLocator, caching.ZipCacheLocator)  # fmt: skip
"""Where numba keeps functions, the first that can be written to: NUMBA_CACHE_DIR, beside the file, the user's folder."""
PLAIN = (bool, int, float, complex, str, np.generic, type(None))
OURS = __name__.partition(".")[0]


def compiled(function: Function, signature: str | None = None, error_model: str = "python", counted: bool = True) -> Function:
    """The function compiled for whatever types it is called with, or for one `signature` alone, and kept on disk; where it is not
    `counted`, references to arrays are not: it can make no array.

    Raises `TypeError` where it names something of which nobody could say whether it has changed.
    """
    usual = NUMBA.config.CACHE_LOCATOR_CLASSES
    NUMBA.config.CACHE_LOCATOR_CLASSES = KEPT  # numba asks once, and here: other people's functions are kept as they say
    try:
        return NUMBA.njit(signature, cache=True, nogil=True, error_model=error_model, _nrt=counted)(function)
    finally:
        NUMBA.config.CACHE_LOCATOR_CLASSES = usual


def uncounted(function: Function) -> Function:
    """As `compiled`, for a loop that is run so often that counting the references to what it hands to `inlined` functions would tell."""
    return compiled(function, counted=False)


def inlined(function: Function) -> Function:
    """The function as a part of those that call it, compiled with each of them."""
    return NUMBA.njit(inline="always")(function)


def _prefetch(typing: Any, array: Any, place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, numbers = signature.args
        laid_out = context.make_array(kind)(context, builder, values[0])
        numbers = [context.cast(builder, n, t, types.intp) for n, t in zip(cgutils.unpack_tuple(builder, values[1]), numbers, strict=True)]
        entry = cgutils.get_item_pointer(context, builder, kind, laid_out, numbers)
        entry = builder.bitcast(entry, ir.IntType(8).as_pointer())
        said = [ir.Constant(ir.IntType(32), n) for n in (0, 3, 1)]  # it will be read, more than once, and is data
        wanted = ir.FunctionType(ir.VoidType(), [entry.type, *(n.type for n in said)])
        builder.call(cgutils.get_or_insert_function(builder.module, wanted, "llvm.prefetch.p0"), [entry, *said])
        return context.get_dummy_value()

    del typing
    return types.void(array, place), generate


prefetch: Any = intrinsic(_prefetch)
"""`prefetch(array, place)` in a compiled function has the entry at a place, a tuple of numbers, brought from memory, and no effect."""


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
    if value is prefetch:
        return inspect.getsource(_prefetch)
    if isinstance(value, PLAIN):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, tuple):
        parts = [_told(part) for part in value]
        return None if None in parts else f"({', '.join(map(str, parts))})"
    module, name = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if callable(value) and name and module and module.partition(".")[0] != OURS:
        return f"{module}.{name}"  # of Python or numpy: numba has its own of these, and looks at its version itself
    return None
