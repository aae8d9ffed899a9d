"""A secret is found however it is written, and nothing is found where there is none."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthmob.audit import traces

SECRET = "canary-5f0c1e7a90b34d2286aa"
NUMBER = 3_141_592_653_589_793_238
FORMS = traces.forms_of_text(SECRET)


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_base64_is_found_at_every_offset(before: bytes, after: bytes) -> None:
    assert traces.found_in(base64.b64encode(before + SECRET.encode() + after), FORMS)
    assert not traces.found_in(base64.b64encode(before + SECRET[::-1].encode() + after), FORMS)


def test_text_is_found_in_other_encodings() -> None:
    hexadecimal = SECRET.encode().hex()
    for content in (SECRET.encode(), SECRET.encode("utf-16"), hexadecimal.encode(), hexadecimal.upper().encode()):
        assert traces.found_in(b"xx" + content + b"yy", FORMS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of every kind without the secret."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "log.txt").write_text("nothing of interest, canary-5f0c1e7a90b34d2286ab among it\n")
    pq.write_table(pa.table({"who": ["a", "b"] * 50, "n": [1, 2] * 50}), tmp_path / "table.parquet", compression="zstd")
    np.savez_compressed(tmp_path / "arrays.npz", names=np.array(["a", "b"]))
    (tmp_path / "page.html.gz").write_bytes(gzip.compress(b"<p>nothing"))
    return tmp_path


def test_nothing_is_found_where_nothing_is(folder: Path) -> None:
    assert traces.found_in_folder(folder, FORMS) == []
    assert traces.found_in_folder(folder, traces.forms_of_number(NUMBER)) == []
    assert traces.n_bytes(folder) == sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) > 100


def test_text_is_found_in_each_kind_of_file_and_in_names(folder: Path) -> None:
    (folder / "plain.json").write_text(f'{{"who": "{SECRET}"}}')
    words = [f"x{k}" for k in range(99)] + [SECRET]
    pq.write_table(pa.table({"who": words}), folder / "packed.parquet", compression="zstd", use_dictionary=False)
    pq.write_table(pa.table({"who": pa.array(words).dictionary_encode()}), folder / "coded.parquet", compression="zstd")
    pq.write_table(pa.table({"n": [1]}).replace_schema_metadata({"made_for": SECRET}), folder / "noted.parquet")
    np.savez_compressed(folder / "packed.npz", ids=np.frombuffer(SECRET.encode() * 3, dtype=np.uint8))
    (folder / "packed.gz").write_bytes(gzip.compress(SECRET.encode()))
    (folder / f"spill-{SECRET}.tmp").touch()
    (folder / f"dir-{SECRET}").mkdir()
    files = ["coded.parquet", "noted.parquet", "packed.gz", "packed.npz", "packed.parquet", "plain.json"]
    assert traces.found_in_folder(folder, FORMS) == sorted([*files, f"dir-{SECRET}", f"spill-{SECRET}.tmp"])


def test_a_text_across_two_chunks_is_found(folder: Path) -> None:
    for cut in (1, 5, len(SECRET) - 1):
        (folder / f"long-{cut}").write_bytes(b"." * (traces.CHUNK - cut) + SECRET.encode() + b"." * 10)
    assert traces.found_in_folder(folder, FORMS) == ["long-1", f"long-{len(SECRET) - 1}", "long-5"]


def test_a_number_is_found_as_digits_and_as_bytes(folder: Path) -> None:
    forms = traces.forms_of_number(NUMBER)
    (folder / "digits.csv").write_text(f"1,{NUMBER},2\n")
    pq.write_table(pa.table({"n": [*range(999), NUMBER]}), folder / "numbers.parquet", compression="zstd")
    assert traces.found_in_folder(folder, forms) == ["digits.csv", "numbers.parquet"]
    assert traces.found_in_folder(folder, traces.forms_of_number(NUMBER + 1)) == []


def test_a_link_is_not_followed_out_of_the_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret.txt"
    elsewhere.write_text(SECRET)
    (folder / "link").symlink_to(elsewhere)
    assert traces.found_in_folder(folder, FORMS) == []
