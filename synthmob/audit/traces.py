"""Whether a secret that stands in the records stands anywhere else: in any byte of a folder, packed or not.

A file is searched as it lies on disk and, where it is Parquet, gzip or zip (which is what npz is), as it unpacks: a text that is
compressed away is found all the same.
"""

from __future__ import annotations

import base64
import gzip
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

CHUNK = 1 << 20


def forms_of_text(secret: str) -> tuple[bytes, ...]:
    r"""The bytes that a text may be written as: UTF-8, UTF-16, hexadecimal, and base64 at its three offsets.

    >>> forms_of_text("ab")[:2]
    (b'ab', b'a\x00b\x00')
    """
    plain = secret.encode()
    shifted = [base64.b64encode(b"\0" * k + plain)[-(-k * 4 // 3) : (k + len(plain)) * 4 // 3] for k in range(3)]
    return (plain, secret.encode("utf-16-le"), plain.hex().encode(), plain.hex().upper().encode(), *shifted)


def forms_of_number(secret: int) -> tuple[bytes, ...]:
    r"""The bytes that a large integer may be written as: decimal digits, and eight bytes of either order.

    >>> forms_of_number(258)[0], forms_of_number(258)[2]
    (b'258', b'\x00\x00\x00\x00\x00\x00\x01\x02')
    """
    return str(secret).encode(), secret.to_bytes(8, "little"), secret.to_bytes(8, "big")


def found_in_folder(folder: Path, forms: Sequence[bytes]) -> list[str]:
    """The files under a folder, by their path from it, whose name or content has one of the forms."""
    return [
        path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*"))
        if found_in(str(path.relative_to(folder)).encode(errors="surrogateescape"), forms)
        or (path.is_file() and not path.is_symlink() and any(_has(piece, forms) for piece in _pieces(path)))]  # fmt: skip


def found_in(content: bytes, forms: Sequence[bytes]) -> bool:
    """Whether some bytes hold one of the forms."""
    return any(form in content for form in forms)


def n_bytes(folder: Path) -> int:
    """How many bytes the files under a folder have."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _has(stream: Iterator[bytes], forms: Sequence[bytes]) -> bool:
    """Whether a stream of chunks holds a form, one that lies across two chunks included."""
    overlap = max(len(form) for form in forms) - 1
    tail = b""
    for chunk in stream:
        window = tail + chunk
        if found_in(window, forms):
            return True
        tail = window[-overlap:] if overlap else b""
    return False


def _pieces(path: Path) -> Iterator[Iterator[bytes]]:
    """The streams to search for one file: as it lies, and as it unpacks."""
    with path.open("rb") as file:
        yield _chunks(file)
    with path.open("rb") as file:
        head = file.read(4)
    if head == b"PAR1":
        yield _parquet(path)
    elif head[:2] == b"\x1f\x8b":
        with gzip.open(path) as unpacked:
            yield _chunks(unpacked)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as unpacked:
                    yield _chunks(unpacked)


def _chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _parquet(path: Path) -> Iterator[bytes]:
    """The values of every column as Arrow lays them out, text and numbers alike, and the file's own notes."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    for key, value in (file.schema_arrow.metadata or {}).items():
        yield key + b"\n" + value
    for batch in file.iter_batches():
        for column in batch.columns:
            for buffer in column.buffers():
                if buffer is not None:
                    yield buffer.to_pybytes()
            if hasattr(column, "dictionary"):
                yield "\n".join(str(value) for value in column.dictionary.to_pylist()).encode()
