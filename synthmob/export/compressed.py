"""Text that is compressed as it is written."""

from __future__ import annotations

import gzip
import io
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def compressed(path: Path) -> Generator[TextIO]:
    """A gzip file open for text; no name and no time go into it, so that the same text is the same bytes."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text,
    ):
        yield text
