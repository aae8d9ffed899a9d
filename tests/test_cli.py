"""The command line: quick to answer, asks before it spends, and leaves nothing half-written when it is stopped."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from smallrun import Run, synthmob
from tinyrecords import operator, wrong

from synthmob.plan import Plan


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_without_rights_is_one_sentence(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert synthmob("generate", run.model, "--persons", 9, "-o", tmp_path / "locked" / "out") == 2
    assert "Permission denied" in wrong(capsys)


def test_a_full_disk_is_one_sentence(run: Run, tmp_path: Path) -> None:
    """A limit on the size of a file stands in for the disk: the system refuses to write in the middle of a part."""
    code = ("import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)); "
            "from synthmob.cli import main; sys.exit(main(sys.argv[1:]))")  # fmt: skip
    words = ["generate", str(run.model), "--persons", "40000", "--days", "3", "-o", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("synthmob: The system says") and "Traceback" not in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_answers_within_a_second() -> None:
    command = [sys.executable, "-c", "from synthmob.cli import main; main(['--help'])"]
    subprocess.run(command, capture_output=True, check=True)
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert time.perf_counter() - started < 1
    verbs = ("measure", "fit", "generate", "check", "report", "export", "pack", "verify", "demo", "exit codes")
    assert all(verb in done.stdout for verb in verbs)


@pytest.mark.parametrize("verb", ["measure", "fit", "generate", "check", "report", "export", "pack", "verify", "demo"])
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        synthmob(verb, "--help")
    assert left.value.code == 0 and f"synthmob {verb}" in capsys.readouterr().out


def test_interrupting_leaves_nothing(run: Run, tmp_path: Path) -> None:
    words = ["generate", str(run.model), "--persons", "30000000", "-o", str(tmp_path / "out")]
    code = "import sys; from synthmob.cli import main; sys.exit(main(sys.argv[1:]))"
    running = subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for _ in range(1_800):
        if any(tmp_path.rglob("part-00000.parquet")):
            break
        time.sleep(0.1)
    running.send_signal(2)
    out, err = running.communicate(timeout=180)
    assert (running.returncode, out, err) == (130, "", "synthmob: Interrupted: nothing was left half-written.\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("answer", "more", "code"), [("n", (), 2), ("", (), 2), ("y", (), 0), ("", ("--yes",), 0)])
def test_a_person_is_asked_before_the_budget_is_spent(tmp_path: Path, answer: str, more: tuple[str, ...], code: int) -> None:
    records = operator(tmp_path / "in" / "records")
    (tmp_path / "plan.toml").write_text("".join(
        f'[tables."{r.name}"]\nshare = 0\n' for r in Plan.standard().requests if r.name != "demographics"))  # fmt: skip
    ours, theirs = pty.openpty()
    words = ["measure", records, "--zones", records / "zones.geojson", "--epsilon", "1", "--delta", "1e-6", "--plan",
             tmp_path / "plan.toml", "-o", tmp_path / "release", *more]  # fmt: skip
    script = [sys.executable, "-c", "import sys; from synthmob.cli import main; sys.exit(main())", *map(str, words)]
    os.write(ours, f"{answer}\n".encode())
    done = subprocess.run(script, stdin=theirs, capture_output=True, text=True, check=False)
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, (tmp_path / "release").exists()) == (code, code == 0), done.stderr
    assert "Plan: epsilon 1" in done.stdout and "demographics" in done.stdout
    assert ("spend this budget? [y/N]" in done.stderr) == (not more)
    assert code == 0 or "The plan was not accepted: no record was read and nothing was spent." in done.stderr
