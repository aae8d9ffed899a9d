"""A model on disk: arrays and JSON, nothing that runs.

    MODEL/model.json              domain, period, what was assumed, the release's own statement, a digest of every array
    MODEL/arrays/<part>.npy       one array of the model each, in NumPy's format, never pickled
    MODEL/zones.parquet           the public zoning it was fitted on, GeoParquet

A model from a stranger is data: file names come from the dataclasses of `synthmob.model`, never from the JSON; an array is read
after its type, shape and size have been compared, and used after its SHA-256 and its values have been (`modelcheck`). Nothing
parses the header of an array: there is one right header for a type and a shape.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from synthmob import folders, manifest, modelcheck, zonereading
from synthmob.domain import DAY_TYPES, Domain
from synthmob.errors import FormatError, PlanError, ZoningError
from synthmob.model.anchors import Anchors
from synthmob.model.commuting import Commuting
from synthmob.model.flows import Flows
from synthmob.model.mobility import MobilityModel
from synthmob.model.modes import Modes
from synthmob.model.routines import Routines
from synthmob.model.usage import Usage
from synthmob.period import Period
from synthmob.plan import domain_from
from synthmob.zonefiles import read_zoning, write_zoning
from synthmob.zones import Zoning

FORMAT = "synthmob model"
FORMAT_VERSION = 1
KIND, MARK, HOLDS = "model", "model.json", ("arrays", "zones.parquet", manifest.FILE)
WORDS: dict[str, type] = {"anchors": Anchors, "flows": Flows, "routines": Routines}
"""The parts of a model that are arrays, under the name of their field."""
MAY_LACK: dict[str, type] = {"usage": Usage, "modes": Modes, "commuting": Commuting}
"""The parts that a model has where its release did."""
MAX_BYTES = 3 << 29
"""The most bytes of all arrays together: home by work over 14,000 zones."""
MAX_DIMENSIONS = 6
MAX_TEXTS = 1_000
_LONGEST_HEADER = 1 << 12
_KEYS = ("domain", "period", "day_type_of", "day_types", "assumed", "source", "zones_sha256", "arrays")

Array = npt.NDArray[Any]
Part = TypeVar("Part")


def save(model: MobilityModel, folder: str | Path) -> Path:
    """Write a model, whole or not at all: an earlier one in its place is replaced, another folder refused."""
    modelcheck.check(model)
    target = Path(folder).resolve()
    with folders.written_aside(target, KIND, MARK, HOLDS) as work:
        (work / "arrays").mkdir()
        written = {name: _write_array(array, work / _file(name)) for name, array in _arrays(model)}
        write_zoning(model.zoning, work / "zones.parquet")
        text = {
            "format": FORMAT, "format_version": FORMAT_VERSION, "domain": asdict(model.domain), "period": model.period.as_json(),
            "day_type_of": list(model.day_type_of), "day_types": len(model.routines.chains), "assumed": list(model.assumed),
            "source": model.source, "zones_sha256": manifest.digest(work / "zones.parquet"), "arrays": written,
        }  # fmt: skip
        (work / MARK).write_text(folders.json_text(text), encoding="utf-8", newline="\n")
    return target


def load(folder: str | Path) -> MobilityModel:
    """Read a model and check all of it; FormatError says what is wrong with one that is not what it claims to be."""
    where = Path(folder)
    said = folders.read_json(where / MARK, KIND)
    if said.get("format") != FORMAT or said.get("format_version") != FORMAT_VERSION:
        raise FormatError(
            f"{where} has format {said.get('format')!r} version {said.get('format_version')!r}: this synthmob reads {FORMAT!r} "
            f"version {FORMAT_VERSION}, use the one that wrote it.")
    if missing := [key for key in _KEYS if key not in said]:
        raise FormatError(f"{where / MARK} says nothing of {missing[0]!r}: it is damaged, ask for the model again.")
    folders.check_holds(where, KIND, (MARK, *HOLDS))
    day_types, day_type_of, assumed, arrays = (said[key] for key in ("day_types", "day_type_of", "assumed", "arrays"))
    good = type(day_types) is int and 1 <= day_types <= len(DAY_TYPES) and isinstance(said["source"], dict)
    good = good and _list_of(day_type_of, int, len(DAY_TYPES)) and _list_of(assumed, str, MAX_TEXTS) and isinstance(arrays, dict)
    if not good:
        raise FormatError(f"{where / MARK} has a day type, source or array list that cannot be: ask for the model again.")
    domain, period, zoning = _domain(said["domain"], where), Period.from_json(said["period"]), _zoning(where, said["zones_sha256"])
    parts = _parts(where, cast(dict[str, Any], arrays), day_types)
    model = MobilityModel(
        domain=domain, period=period, zoning=zoning, day_type_of=tuple(day_type_of), assumed=tuple(assumed),
        source=cast(dict[str, Any], said["source"]), **parts)
    modelcheck.check(model)
    return model


def _parts(where: Path, said: dict[str, Any], day_types: int) -> dict[str, Any]:
    """The words of the model with their arrays, every array that model.json names and no other."""
    seen: dict[str, int] = {}

    def read(name: str, dtype: np.dtype[Any]) -> Array:
        shape = _shape(where, name, said.get(name), dtype)
        seen[name] = math.prod(shape) * dtype.itemsize
        if sum(seen.values()) > MAX_BYTES:
            raise FormatError(f"The model's arrays have not the size of any that we fit, over {MAX_BYTES >> 20} MB: do not trust it.")
        return _read_array(where, name, shape, dtype, said[name].get("sha256"))

    there = {name: kind for name, kind in MAY_LACK.items() if any(array.startswith(f"{name}.") for array in said)}
    parts: dict[str, Any] = {name: _built(kind, name, day_types, read) for name, kind in (WORDS | there).items()}
    if strange := sorted(set(said) - set(seen)):
        raise FormatError(f"{where / MARK} describes an array {strange[0][:80]!r} that no model has: ask for the model again.")
    folders.check_holds(where / "arrays", KIND, [f"{name}.npy" for name in seen])
    return parts


def _arrays(model: MobilityModel) -> Iterator[tuple[str, Array]]:
    """Every array of a model with its dotted name, in the types that the dataclasses declare."""
    for name, kind in (WORDS | MAY_LACK).items():
        if (part := getattr(model, name)) is not None:
            yield from _inside(part, kind, name)


def _inside(part: object, kind: type, prefix: str) -> Iterator[tuple[str, Array]]:
    for name, hint in _declared(kind):
        value, path = getattr(part, name), f"{prefix}.{name}"
        if get_origin(hint) is tuple:
            for number, item in enumerate(value):
                yield from _inside(item, get_args(hint)[0], f"{path}.{number}")
        else:
            yield path, np.ascontiguousarray(value, dtype=_dtype(hint))


def _built(kind: type[Part], prefix: str, day_types: int, read: Callable[[str, np.dtype[Any]], Array]) -> Part:
    """The dataclass `kind` with its arrays read by dotted name, and its tuples one entry a day type."""
    values: dict[str, Any] = {}
    for name, hint in _declared(kind):
        path = f"{prefix}.{name}"
        if get_origin(hint) is tuple:
            values[name] = tuple(_built(get_args(hint)[0], f"{path}.{k}", day_types, read) for k in range(day_types))
        else:
            values[name] = read(path, _dtype(hint))
    return kind(**values)


def _declared(kind: type) -> list[tuple[str, Any]]:
    """The fields of a dataclass and their types."""
    hints = get_type_hints(kind)
    return [(field.name, hints[field.name]) for field in fields(kind)]


def _dtype(hint: Any) -> np.dtype[Any]:
    """The little-endian type of a field declared as npt.NDArray[...].

    >>> _dtype(npt.NDArray[np.int8]).str
    '|i1'
    """
    return np.dtype(get_args(get_args(hint)[1])[0]).newbyteorder("<")


def _file(name: str) -> str:
    return f"arrays/{name}.npy"


def _write_array(array: Array, path: Path) -> dict[str, Any]:
    """Write an array; returns what model.json says of it."""
    with path.open("wb") as file:
        np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)
    return {"dtype": array.dtype.str, "shape": list(array.shape), "sha256": manifest.digest(path)}


def _shape(where: Path, name: str, said: object, dtype: np.dtype[Any]) -> tuple[int, ...]:
    """The shape that model.json states for the array of that name, which must be of the type wanted; FormatError otherwise."""
    entry = cast(dict[str, Any], said) if isinstance(said, dict) else {}
    shape: Any = entry.get("shape")
    if not _list_of(shape, int, MAX_DIMENSIONS) or not shape or any(n < 0 for n in shape) or entry.get("dtype") != dtype.str:
        raise FormatError(f"{where / MARK} does not describe {name} as an array of type {dtype.str}: ask for the model again.")
    return tuple(shape)


def _read_array(where: Path, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], sha256: object) -> Array:
    """The array of that name, from a file of just that size, that header and that SHA-256; FormatError otherwise."""
    path = where / _file(name)
    size = math.prod(shape) * dtype.itemsize
    try:
        if path.parent.is_symlink():
            raise OSError("the folder is a link")
        with folders.opened(path) as file:
            head = file.read(10)
            length = int.from_bytes(head[8:10], "little")
            if size > MAX_BYTES or file.seek(0, 2) != 10 + length + size or length > _LONGEST_HEADER:
                raise FormatError(f"{path.name} has not the size of an array of shape {shape}: it is damaged, ask for the model again.")
            file.seek(10)
            head += file.read(length)
            array: Any = np.empty(shape, dtype)
            if size:
                file.readinto(memoryview(array).cast("B"))
    except OSError:
        raise FormatError(f"The model has no file {path.parent.name}/{path.name}: it is incomplete, ask for it again.") from None
    digest = hashlib.sha256(head)
    digest.update(array)
    if digest.hexdigest() != sha256:
        raise FormatError(f"{path.name} is not the file that {MARK} describes (its SHA-256 differs): ask for the model again.")
    wanted = f"{{'descr': {dtype.str!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    if head[:8] != b"\x93NUMPY\x01\x00" or head[10:].strip() != wanted.encode():
        raise FormatError(f"{path.name} is no array of type {dtype.str} and shape {shape}: it is damaged, ask for the model again.")
    return array


def _domain(said: object, where: Path) -> Domain:
    if not isinstance(said, dict):
        raise FormatError(f"{where / MARK} has no domain: it is damaged, ask for the model again.")
    try:
        return domain_from(cast(dict[str, Any], said), f"{where / MARK}")
    except PlanError as error:
        raise FormatError(f"The model's domain cannot be used: {error}") from None


def _zoning(where: Path, sha256: object) -> Zoning:
    path = where / "zones.parquet"
    there = path.is_file() and not path.is_symlink() and path.stat().st_size <= zonereading.MAX_BYTES
    if not there or manifest.digest(path) != sha256:
        raise FormatError(f"{path.name} is not the file that {MARK} describes (its SHA-256 differs): ask for the model again.")
    try:
        return read_zoning(path)
    except ZoningError as error:
        raise FormatError(f"The model's zones cannot be used: {error}") from None


def _list_of(value: object, kind: type, most: int) -> bool:
    """Whether it is a list of so many of one kind at most; whole numbers among them stay far from what overflows."""
    if not isinstance(value, list) or len(cast(list[Any], value)) > most:
        return False
    return all(type(item) is kind and (kind is not int or abs(item) <= 1 << 40) for item in cast(list[Any], value))
