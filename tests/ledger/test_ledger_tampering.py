"""An edited, shortened, reordered, spliced or older ledger is found, against its head or against a release."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spenders import spend

from synthmob.errors import FormatError, InputError
from synthmob.ledger import Head, Ledger, State
from synthmob.ledger.chain import Keys, sealed

NAMES = ("ledger.jsonl", "ledger.head", "ledger.key")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _handle: None)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Head]]:
    """A ledger of six spends, copies of it after each, and another with the same key and customers; and the heads of the spends."""
    top = tmp_path_factory.mktemp("kept")
    ledger, heads = Ledger.open(top / "now" / "ledger.jsonl", customers="them"), list[Head]()
    for k in range(6):
        heads.append(ledger.spend(spend(0.1 + 0.01 * k, tables=3), total_epsilon=2.0 - 0.1 * (k // 3)))
        shutil.copytree(top / "now", top / f"after-{k}")
    other = Ledger.open(top / "other" / "ledger.jsonl", customers="them", key=top / "now" / "ledger.key")
    for _ in range(6):
        other.spend(spend(0.1, tables=3), total_epsilon=2.0)
    return top, heads


@pytest.fixture
def ledger(kept: tuple[Path, list[Head]], tmp_path: Path) -> Ledger:
    """A copy to tamper with."""
    shutil.copytree(kept[0] / "now", tmp_path / "copy")
    return Ledger.open(tmp_path / "copy" / "ledger.jsonl")


def refused(ledger: Ledger, match: str = ".") -> None:
    """Every use finds it, and none mends it or spends."""
    before = [p.read_bytes() for p in sorted(ledger.files.ledger.parent.iterdir()) if p.suffix != ".lock"]
    for use in (ledger.state, ledger.verify, lambda: ledger.preview(spend()), lambda: ledger.spend(spend())):
        with pytest.raises(FormatError, match=match) as found:
            use()
        assert found.value.exit_code == 2 and str(found.value).endswith(".") and "\n" not in str(found.value)
    assert [p.read_bytes() for p in sorted(ledger.files.ledger.parent.iterdir()) if p.suffix != ".lock"] == before


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_an_untouched_ledger_verifies_against_its_head_and_every_release(ledger: Ledger, kept: tuple[Path, list[Head]]) -> None:
    state = ledger.verify((f"release {k}", head) for k, head in enumerate(kept[1]))
    assert [s.line for s in state.spends] == [h.line for h in kept[1]] and state.notes == () and state.customers == "them"
    assert state.head == kept[1][-1] and len(state.entries) == 9  # six spends, the first line, and two totals
    assert all(sum(s.tables.values()) == pytest.approx(s.rho) and len(s.tables) == 3 for s in state.spends)


@given(where=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_any_byte_that_is_changed_is_found(
    kept: tuple[Path, list[Head]], tmp_path_factory: pytest.TempPathFactory, where: float, change: int
) -> None:
    copy = tmp_path_factory.mktemp("byte")
    for name in NAMES:
        shutil.copy(kept[0] / "now" / name, copy / name)
    content = bytearray((copy / NAMES[0]).read_bytes())
    content[int(where * len(content))] ^= change
    (copy / NAMES[0]).write_bytes(content)
    refused(Ledger.open(copy / NAMES[0]))


@given(where=st.floats(0, 1, exclude_max=True))
def test_cutting_it_anywhere_is_found(kept: tuple[Path, list[Head]], tmp_path_factory: pytest.TempPathFactory, where: float) -> None:
    copy = tmp_path_factory.mktemp("cut")
    for name in NAMES:
        shutil.copy(kept[0] / "now" / name, copy / name)
    content = (copy / NAMES[0]).read_bytes()
    (copy / NAMES[0]).write_bytes(content[: int(where * len(content))])
    refused(Ledger.open(copy / NAMES[0]))


EDITS: dict[str, Callable[[list[bytes], list[bytes]], list[bytes]]] = {
    "the last line gone": lambda own, _: own[:-1],
    "a line gone from the middle": lambda own, _: [*own[:4], *own[5:]],
    "two lines swapped": lambda own, _: [*own[:4], own[5], own[4], *own[6:]],
    "the last line replayed": lambda own, _: [*own, own[-1]],
    "an early line replayed": lambda own, _: [*own, own[3]],
    "a line of another ledger at the end": lambda own, other: [*own, other[6]],
    "a line of another ledger in the middle": lambda own, other: [*own[:4], other[4], *own[5:]],
    "the tail of another ledger": lambda own, other: [*own[:5], *other[5:]],
    "another ledger of the same key": lambda _, other: other,
    "an epsilon made smaller": lambda own, _: [*own[:4], own[4].replace(b'"rho":0.', b'"rho":0.0'), *own[5:]],
    "a total made larger": lambda own, _: [own[0], own[1].replace(b'"epsilon":2.0', b'"epsilon":9.0'), *own[2:]],
    "white space": lambda own, _: [*own[:4], own[4].replace(b'"line":', b'"line": '), *own[5:]],
    "a line break at the end": lambda own, _: [*own, b"\n"],
    "a carriage return": lambda own, _: [line.replace(b"\n", b"\r\n") for line in own],
    "everything gone": lambda _own, _other: [],
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_by_somebody_without_the_key_is_found(ledger: Ledger, kept: tuple[Path, list[Head]], edit: str) -> None:
    own = lines_of(ledger.files.ledger)
    changed = EDITS[edit](own, lines_of(kept[0] / "other" / "ledger.jsonl"))
    assert changed != own
    ledger.files.ledger.write_bytes(b"".join(changed))
    refused(ledger)


@pytest.mark.parametrize("age", range(5))
def test_an_older_copy_is_found_against_the_head(ledger: Ledger, kept: tuple[Path, list[Head]], age: int) -> None:
    shutil.copy(kept[0] / f"after-{age}" / "ledger.jsonl", ledger.files.ledger)
    refused(ledger, "shortened or is an older copy")


@pytest.mark.parametrize("age", range(4))
def test_an_older_head_is_found_against_the_ledger(ledger: Ledger, kept: tuple[Path, list[Head]], age: int) -> None:
    shutil.copy(kept[0] / f"after-{age}" / "ledger.head", ledger.files.head)
    refused(ledger, "the head is older")


@pytest.mark.parametrize("age", range(5))
def test_restoring_both_is_found_against_a_later_release_and_only_so(ledger: Ledger, kept: tuple[Path, list[Head]], age: int) -> None:
    for name in ("ledger.jsonl", "ledger.head"):
        shutil.copy(kept[0] / f"after-{age}" / name, ledger.files.ledger.with_name(name))
    ledger.verify()  # what docs/LEDGER.md says is not found
    ledger.verify([("its own", kept[1][age])])
    with pytest.raises(FormatError, match=r"RELEASE was entered as line .* shortened or is an older copy"):
        ledger.verify([("its own", kept[1][age]), ("RELEASE", kept[1][age + 1])])
    ledger.spend(spend(0.03))  # and going on from there does not hide it
    ledger.spend(spend(0.03))
    with pytest.raises(FormatError, match="RELEASE was entered as line"):
        ledger.verify([("RELEASE", kept[1][age + 1])])


def test_two_copies_that_went_on_apart_are_not_taken_for_each_other(kept: tuple[Path, list[Head]], tmp_path: Path) -> None:
    """Both have the same customers, key and number of lines: it is the head's mac that tells them apart."""
    one, two = (Path(shutil.copytree(kept[0] / "after-4", tmp_path / name)) for name in ("one", "two"))
    for folder, epsilon in ((one, 0.2), (two, 0.01)):
        Ledger.open(folder / "ledger.jsonl").spend(spend(epsilon))
    shutil.copy(two / "ledger.jsonl", one / "ledger.jsonl")
    refused(Ledger.open(one / "ledger.jsonl"), "is not the one that its head names")


def test_a_release_of_other_customers_or_of_another_ledger_is_told_apart(ledger: Ledger, kept: tuple[Path, list[Head]]) -> None:
    theirs = Ledger.open(kept[0] / "other" / "ledger.jsonl", key=kept[0] / "now" / "ledger.key").state().head
    for head, match in ((theirs, "is another one"), (Head("somebody", 3, "0" * 64), "entered for 'somebody'"),
                        (Head("them", 0, "0" * 64), "entered as line 0"), (Head("them", 99, "0" * 64), "entered as line 99")):  # fmt: skip
        with pytest.raises(FormatError, match=match):
            ledger.verify([("RELEASE", head)])


def test_a_head_cannot_be_made_up_without_the_key(ledger: Ledger) -> None:
    """All that stands in the ledger is not enough to write the head of an earlier line: that takes a copy of it."""
    good = json.loads(ledger.files.head.read_bytes())
    earlier = ledger.state().entries[-2]
    ledger.files.ledger.write_bytes(b"".join(lines_of(ledger.files.ledger)[:-1]))
    wrong_key = sealed(Keys.of(bytes(32)), Head("them", earlier.line, earlier.mac))
    forged = ({**good, "line": earlier.line, "mac": earlier.mac}, {**good, "seal": 7}, {**good, "mac": "x"})
    texts = [json.dumps(content).encode() for content in forged]
    for content in (*texts, wrong_key, b"{}", b"", b"[1]", b"\xff", b"[" * 100_000):
        ledger.files.head.write_bytes(content)
        refused(ledger)


def test_what_lies_beside_it_must_be_there_and_its_own(ledger: Ledger, tmp_path: Path) -> None:
    key, head = ledger.files.key.read_bytes(), ledger.files.head.read_bytes()
    ledger.files.key.unlink()
    refused(ledger, "There is no key")
    for wrong, match in ((b"\0" * 32, "was not written with this key"), (key[:31], "holds 31 bytes"), (b"", "holds 0 bytes")):
        ledger.files.key.write_bytes(wrong)
        refused(ledger, match)
    ledger.files.key.write_bytes(key)
    ledger.files.head.unlink()
    refused(ledger, "has no ledger.head beside it")
    ledger.files.head.write_bytes(head)
    content = ledger.files.ledger.read_bytes()
    ledger.files.ledger.unlink()
    refused(ledger, "shortened or is an older copy")
    ledger.files.ledger.write_bytes(content)
    assert len(ledger.verify().spends) == 6


def test_somebody_elses_file_is_never_taken_for_a_ledger(tmp_path: Path) -> None:
    (tmp_path / "thesis.jsonl").write_text("mine\n")
    refused(Ledger.open(tmp_path / "thesis.jsonl"), "has no thesis.head beside it")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FormatError, match="is a folder"):
        Ledger.open(tmp_path / "folder").state()
    (tmp_path / "new.key").write_text("a key for the house")
    with pytest.raises(FormatError, match="the key of a ledger has 32"):
        Ledger.open(tmp_path / "new.jsonl").spend(spend())
    assert (tmp_path / "new.key").read_text() == "a key for the house"
    with pytest.raises(FormatError, match="There is no ledger at"):
        Ledger.open(tmp_path / "nothing.jsonl").verify()
    with pytest.raises(InputError, match="that ending is for what lies beside it"):
        Ledger.open(tmp_path / "ledger.key")


def test_customers_are_named_once(ledger: Ledger, tmp_path: Path) -> None:
    same = Ledger.open(ledger.files.ledger, customers="them")
    assert same.spend(spend()).customers == "them"
    with pytest.raises(InputError, match=r"is the ledger of 'them' and 'others' was named"):
        Ledger.open(ledger.files.ledger, customers="others").spend(spend())
    unnamed = Ledger.open(tmp_path / "Example Mobile" / "ledger.jsonl")
    assert unnamed.spend(spend()).customers == "Example Mobile" == unnamed.state().customers
    for name in ("", "two\nlines", "x" * 201):
        with pytest.raises(InputError, match="need a name that can be printed"):
            Ledger.open(tmp_path / "a.jsonl", customers=name)


def test_nothing_of_the_records_stands_in_it_but_a_keyed_hash(ledger: Ledger) -> None:
    text = ledger.files.ledger.read_text()
    assert "made-up records" not in text
    prints = {s.fingerprint for s in ledger.state().spends}
    assert prints == {Keys.of(ledger.files.key.read_bytes()).fingerprint("made-up records")} and len(prints.pop()) == 64
    assert Keys.of(bytes(32)).fingerprint("made-up records") not in text


def test_a_key_may_be_kept_elsewhere_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "books" / "ledger.jsonl", key=tmp_path / "safe" / "secret")
    ledger.spend(spend())
    assert {p.name for p in (tmp_path / "books").iterdir()} == {"ledger.jsonl", "ledger.head", "ledger.jsonl.lock"}
    assert [p.name for p in (tmp_path / "safe").iterdir()] == ["secret"]
    assert (tmp_path / "safe" / "secret").stat().st_mode & 0o777 == 0o600
    refused(Ledger.open(tmp_path / "books" / "ledger.jsonl"), "There is no key")


def test_a_newer_or_strange_ledger_is_not_guessed_at(ledger: Ledger) -> None:
    """Lines that verify, written with the key by a program of another version."""
    keys = Keys.of(ledger.files.key.read_bytes())
    from synthmob.ledger import chain

    first = ledger.state().entries[0].content
    strange = (
        {**first, "format_version": 2}, {**first, "line": 7}, {**first, "customers": ""},
        {"second": {"kind": "gift"}}, {"second": {"kind": "spend", "rho": -1.0}},
        {"second": {"kind": "total", "epsilon": "2", "delta": 1}})  # fmt: skip
    for content in strange:
        lines = [first, {"line": 2, **content["second"]}] if "second" in content else [content]
        data, before = b"", chain.START
        for line in lines:
            entry, text = chain.linked(keys, before, line)
            data, before = data + text, entry.mac
        ledger.files.ledger.write_bytes(data)
        ledger.files.head.write_bytes(sealed(keys, Head("them", len(lines), before)))
        refused(ledger)


def test_an_empty_state_has_no_line() -> None:
    assert State("them").head == Head("them", 0, "0" * 64) and State("them").delta is None and State("them").as_json()["lines"] == []
