"""The command against real servers: every event once and in order, after a kill too, and one sentence for what is wrong."""

from __future__ import annotations

import http.server
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis
from smallrun import Run, synthmob
from stream_servers import Subscriber, free_port, mosquitto, program, redis_server
from tinyrecords import wrong

from synthmob.replay import patience

PERSONS, DAYS = 200, 2
COMMAND = [sys.executable, "-c", "import sys; from synthmob.cli import main; sys.exit(main(sys.argv[1:]))", "replay"]
needs_redis = pytest.mark.skipif(program("redis-server") is None, reason="needs Redis: apt-get install redis-server")
needs_mosquitto = pytest.mark.skipif(program("mosquitto") is None, reason="needs Mosquitto: apt-get install mosquitto")


@pytest.fixture(scope="module")
def out(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few people whose events are in three part files."""
    target = tmp_path_factory.mktemp("replay") / "out"
    assert synthmob("generate", run.model, "--persons", PERSONS, "--days", DAYS, "--seed", 3, "--events", "-o", target) == 0
    path = target / "events" / "part-00000.parquet"
    table = pq.read_table(path)
    third = table["person_id"].to_numpy() * 3 // PERSONS
    for part in range(3):
        pq.write_table(table.filter(pa.array(third == part)), target / "events" / f"part-{part:05d}.parquet")
    return target


@pytest.fixture(scope="module")
def wanted(out: Path) -> list[dict[str, Any]]:
    """The messages by pandas: local time, person, row; London keeps UTC in March."""
    events = pd.concat([pd.read_parquet(path) for path in sorted((out / "events").iterdir())], ignore_index=True)
    events["row"] = events.index
    events = events.sort_values(["time", "person_id", "row"], ignore_index=True)
    stamps, seconds = events["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"), events["time"].astype("datetime64[s]").astype("int64")
    columns = ["person_id", "site_id", "zone_id", "kind", "direction", "counterpart_id", "duration_s", "volume_kb", "app"]
    plain = events[columns].astype(object).where(events[columns].notna(), None).to_dict("records")
    return [{"id": f"{second * 1_000}-{k}", "synthetic": True, "time": stamp, **row}
            for k, (second, stamp, row) in enumerate(zip(seconds, stamps, plain, strict=True))]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    with redis_server() as port:
        yield port


def entries(port: int, stream: str) -> list[tuple[str, dict[str, Any]]]:
    """What a stream of Redis holds."""
    with redis.Redis(port=port) as client:
        return [(key.decode(), json.loads(row[b"event"])) for key, row in client.xrange(stream)]


def killed_on_the_way(words: list[object], enough: Any) -> None:
    """Start a replay and kill it when `enough` says so, before it is done."""
    running = subprocess.Popen([*COMMAND, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(2_000):
        if enough() or running.poll() is not None:
            break
        time.sleep(0.02)
    assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.wait()


def test_standard_output_is_a_pipe_of_lines(out: Path, wanted: list[dict[str, Any]]) -> None:
    done = subprocess.run([*COMMAND, str(out), "--to", "stdout", "--speed", "max"], capture_output=True, text=True, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == wanted and len(wanted) > 2_000
    assert done.stderr.startswith(f"{len(wanted):,} events in ") and "each at least once" in done.stderr


@needs_redis
def test_redis_has_every_event_once_and_in_order(out: Path, wanted: list[dict[str, Any]], server: int) -> None:
    assert synthmob("replay", out, "--to", f"redis://127.0.0.1:{server}/all", "--speed", "max") == 0
    assert entries(server, "all") == [(message["id"], message) for message in wanted]


@needs_redis
def test_a_replay_killed_on_its_way_goes_on_without_loss_or_repetition(
    out: Path, wanted: list[dict[str, Any]], server: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [out, "--to", f"redis://127.0.0.1:{server}/killed", "--cursor", tmp_path / "cursor"]
    with redis.Redis(port=server) as client:
        killed_on_the_way([*words, "--speed", 7_200], lambda: client.exists("killed") and client.xlen("killed") > 300)
        there = client.xlen("killed")
    noted = json.loads((tmp_path / "cursor").read_text())["sent"]
    assert noted <= there < len(wanted)
    capsys.readouterr()
    assert synthmob("replay", *words, "--speed", "max") == 0
    assert entries(server, "killed") == [(message["id"], message) for message in wanted]
    assert capsys.readouterr().err.startswith(f"{len(wanted) - there:,} events in")
    assert synthmob("replay", *words, "--speed", "max") == 0
    assert capsys.readouterr().err.startswith("0 events in")


@needs_redis
def test_a_stream_with_entries_is_not_added_to(out: Path, server: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with redis.Redis(port=server) as client:
        client.xadd("other", {"event": "mine"}, id="5-5")
        client.xadd("later", {"event": "mine"}, id="99999999999999-0")
        client.set("text", "mine")
    url = f"redis://127.0.0.1:{server}"
    assert synthmob("replay", out, "--to", f"{url}/other", "--speed", "max") == 2 and "has entries up to 5-5" in wrong(capsys)
    assert synthmob("replay", out, "--to", f"{url}/text", "--speed", "max") == 2 and "is no stream" in wrong(capsys)
    cursor = tmp_path / "cursor"
    assert synthmob("replay", out, "--to", f"{url}/later", "--speed", "max", "--cursor", cursor) == 2
    wrong(capsys)
    said = {"format": "synthmob replay cursor", "format_version": 1, "sent": 0, "place": None}
    synthmob("replay", out, "--to", f"{url}/fresh", "--speed", "max", "--until", "2026-03-06T00:30", "--cursor", cursor)
    replay = json.loads(cursor.read_text())["replay"] | {"target": f"{url}/later", "until": ""}
    cursor.write_text(json.dumps(said | {"replay": replay}))
    capsys.readouterr()
    assert synthmob("replay", out, "--to", f"{url}/later", "--speed", "max", "--cursor", cursor) == 2
    assert "which is none of this replay" in wrong(capsys)


@needs_redis
@pytest.mark.parametrize("lag", [100, 600])
def test_readers_that_lag_hold_it_up(out: Path, wanted: list[dict[str, Any]], server: int, lag: int) -> None:
    slow = f"slow{lag}"
    with redis.Redis(port=server) as client:
        client.xgroup_create(slow, "readers", id="0", mkstream=True)
    ended: list[int] = []
    words = ("replay", out, "--to", f"redis://127.0.0.1:{server}/{slow}", "--speed", "max", "--max-lag", lag)
    command = threading.Thread(target=lambda: ended.append(synthmob(*words)))
    command.start()
    read, most = 0, 0
    with redis.Redis(port=server) as client:
        while read < len(wanted) and not (ended and ended != [0]):
            time.sleep(0.05)
            group = client.xinfo_groups(slow)[0]
            most = max(most, int(group["lag"] or 0) + int(group["pending"]))
            for _, rows in client.xreadgroup("readers", "one", {slow: ">"}, count=400) or ():
                read += len(rows)
                client.xack(slow, "readers", *(key for key, _ in rows))
    command.join()
    assert ended == [0] and 0 < most <= lag < len(wanted)


@needs_redis
def test_a_stream_keeps_what_it_is_told_to(out: Path, wanted: list[dict[str, Any]], server: int) -> None:
    assert synthmob("replay", out, "--to", f"redis://127.0.0.1:{server}/short", "--speed", "max", "--max-length", 200) == 0
    kept = entries(server, "short")
    assert 200 <= len(kept) < 500 and kept[-1][1] == wanted[-1]


@needs_redis
def test_a_server_that_is_away_for_a_moment_is_waited_for(out: Path, wanted: list[dict[str, Any]], tmp_path: Path) -> None:
    """Redis with its log on disk is killed and comes back, and every event is there once."""
    kept, ended = ("--appendonly", "yes", "--appendfsync", "always", "--dir", str(tmp_path)), list[int]()
    with redis_server(None, *kept) as port:
        words = ("replay", out, "--to", f"redis://127.0.0.1:{port}/back", "--speed", 40_000)
        command = threading.Thread(target=lambda: ended.append(synthmob(*words)))
        command.start()
        with redis.Redis(port=port) as client:
            while not client.exists("back") and not ended:
                time.sleep(0.02)
    time.sleep(0.3)
    with redis_server(port, *kept):
        command.join()
        assert ended == [0] and entries(port, "back") == [(message["id"], message) for message in wanted]


@needs_mosquitto
def test_a_subscriber_gets_every_event_in_order(out: Path, wanted: list[dict[str, Any]], tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as port:
        reader = Subscriber(port, "events/all")
        assert synthmob("replay", out, "--to", f"mqtt://127.0.0.1:{port}/events/all", "--speed", "max") == 0
        assert [json.loads(payload) for payload in reader.wait(len(wanted))] == wanted
        reader.close()


@pytest.mark.slow
@needs_mosquitto
def test_a_kill_loses_nothing_and_what_is_repeated_has_the_same_id(out: Path, wanted: list[dict[str, Any]], tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as port:
        reader = Subscriber(port, "events")
        words = [out, "--to", f"mqtt://127.0.0.1:{port}/events", "--cursor", tmp_path / "cursor"]
        killed_on_the_way([*words, "--speed", 7_200], lambda: len(reader.payloads) > 300)
        assert synthmob("replay", *words, "--speed", "max") == 0
        reader.wait(len(wanted))
        time.sleep(0.5)
        got = [json.loads(payload) for payload in reader.payloads]
        reader.close()
    assert list({message["id"]: message for message in got}.values()) == wanted


class Taker(http.server.BaseHTTPRequestHandler):
    """Takes lines, after one answer that it is busy."""

    lines: list[bytes] = []  # noqa: RUF012
    busy = 1
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 404 if self.path != "/in?key=1" else 503 if Taker.busy else 204
        Taker.busy = 0 if status == 503 else Taker.busy
        if status == 204:
            Taker.lines += body.splitlines()
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_http_takes_batches_and_is_asked_again_when_busy(
    out: Path, wanted: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert synthmob("replay", out, "--to", f"{url}/in?key=1", "--speed", "max") == 0
        assert [json.loads(line) for line in Taker.lines] == wanted
        capsys.readouterr()
        assert synthmob("replay", out, "--to", f"{url}/out?key=1", "--speed", "max") == 2
        told = wrong(capsys)
        assert "answered 404" in told and "key=1" not in told
        server.shutdown()


def test_a_window_of_local_time(out: Path, wanted: list[dict[str, Any]], capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    sides = ("--from", "2026-03-06T08:00", "--until", "2026-03-06T09:00")
    assert synthmob("replay", out, "--to", "stdout", "--speed", "max", *sides) == 0
    there = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    inside = [message for message in wanted if "2026-03-06T08" in message["time"]]
    assert [message["person_id"] for message in there] == [message["person_id"] for message in inside]
    assert [message["id"].split("-")[1] for message in there] == [str(k) for k in range(len(inside))] and len(inside) > 20


def test_speed_is_a_multiple_of_real_time(out: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    began = time.monotonic()
    assert synthmob("replay", out, "--to", "stdout", "--speed", 1_800, "--from", "2026-03-06T08:00", "--until", "2026-03-06T09:00") == 0
    assert time.monotonic() - began > 1.8 and capfdbinary.readouterr().out


WRONG = {
    "no host": (("--to", "redis:///x"), "names no host"),
    "no stream": (("--to", "redis://127.0.0.1:1"), "names no stream"),
    "wildcards": (("--to", "mqtt://127.0.0.1:1/a/+"), "names no topic to publish to"),
    "a fragment": (("--to", "mqtt://127.0.0.1:1/a/#"), "has a part behind a #"),
    "a scheme": (("--to", "ftp://127.0.0.1/x"), "Events cannot be sent to 'ftp://127.0.0.1/x'"),
    "a word": (("--to", "stdin"), "Events cannot be sent to 'stdin'"),
    "a port": (("--to", "redis://127.0.0.1:99999/x"), "cannot be read"),
    "credentials": (("--to", "http://me:hush@127.0.0.1:1/x"), "http://127.0.0.1:1/x has a name and password"),
    "an option": (("--to", "stdout", "--max-lag", 5), "takes no --max-lag"),
    "no length": (("--to", "redis://127.0.0.1:1/x", "--max-length", 0), "--max-length is 0"),
    "a speed": (("--to", "stdout", "--speed", "fast"), "The speed is 'fast'"),
    "no speed": (("--to", "stdout", "--speed", -1), "The speed is -1.0"),
    "a time": (("--to", "stdout", "--from", "noon"), "--from is 'noon'"),
    "an offset": (("--to", "stdout", "--until", "2026-03-06T08:00Z"), "--until has an offset"),
    "no time": (("--to", "stdout", "--from", "2026-03-07", "--until", "2026-03-06"), "end before they begin"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_word_is_one_sentence(out: Path, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    words, sentence = WRONG[case]
    assert synthmob("replay", out, *words) == 2
    told = wrong(capsys)
    assert sentence in told and "hush" not in told


@pytest.mark.parametrize("scheme", ["redis", "mqtt", "http"])
def test_a_server_that_is_not_there_is_one_sentence(out: Path, scheme: str, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"{scheme}://127.0.0.1:{free_port()}/x"
    assert synthmob("replay", out, "--to", url) == 2
    assert f"{url} cannot be reached" in wrong(capsys)


def test_a_server_that_goes_away_is_one_sentence_and_a_cursor(
    out: Path, wanted: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Leaving(Taker):
        def do_POST(self) -> None:
            if len(Taker.lines) > 800:
                self.connection.close()
            else:
                super().do_POST()

    monkeypatch.setattr(patience, "PAUSES_S", (0.01, 0.01))
    monkeypatch.setattr(Taker, "lines", [])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Leaving) as server:
        server.handle_error = lambda *_: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = ("replay", out, "--to", f"http://127.0.0.1:{server.server_port}/in?key=1", "--speed", "max", "--cursor", tmp_path / "c")
        assert synthmob(*words) == 2 and "did not take events in 3 tries" in wrong(capsys)
        assert json.loads((tmp_path / "c").read_text())["sent"] == 1_000
        Leaving.do_POST = Taker.do_POST
        assert synthmob(*words) == 0
        server.shutdown()
    assert [json.loads(line) for line in Taker.lines] == wanted


def test_a_cursor_of_another_replay_is_refused(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, cursor = ("replay", out, "--to", "stdout", "--speed", "max", "--until", "2026-03-06T00:10"), tmp_path / "cursor"
    assert synthmob(*words, "--cursor", cursor) == 0
    capsys.readouterr()
    assert synthmob(*words[:-1], "2026-03-06T00:11", "--cursor", cursor) == 2 and "a replay with another until" in wrong(capsys)
    for content in ("{}", "[]", "no", json.dumps(json.loads(cursor.read_text()) | {"sent": -1})):
        cursor.write_text(content)
        assert synthmob(*words, "--cursor", cursor) == 2
        wrong(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["cursor"]


def test_an_out_without_events_is_refused(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silent = shutil.copytree(out, tmp_path / "out")
    shutil.rmtree(silent / "events")
    assert synthmob("replay", silent, "--to", "stdout") == 2 and "has no events: generate it with --events" in wrong(capsys)
