"""Records in PostgreSQL, on a real server: the counts of the same records in files, one sentence for what is wrong, no password shown."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import postgres_run
import pytest
from postgres_run import Server
from record_folder import TOWN, few, write_everything
from smallrun import synthmob
from strategies import FRIDAY_ON

from synthmob.databases import Address
from synthmob.errors import InputError, RecordError
from synthmob.plan import Plan
from synthmob.private.curator import Curator
from synthmob.private.records import Sources

PLAN = Plan.standard()
NO_SERVER = postgres_run.programs(postgis=False) is None or shutil.which("psql") is None
pytestmark = pytest.mark.skipif(NO_SERVER, reason="no PostgreSQL: apt-get install postgresql-15")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    # A socket's path may have 107 bytes, and the server's user must get in.
    with tempfile.TemporaryDirectory() as short:
        Path(short).chmod(0o755)
        with postgres_run.server(Path(short) / "pg") as running:
            yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_everything(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="module")
def loaded(server: Server, folder: Path) -> Server:
    """Subscribers, stays and events of the folder in a schema, in the types that a database would have for them."""
    types = {
        "subscribers": "subscriber_id varchar(40) primary key, sex char(12), age_band text, phone_number text",
        "stays": "subscriber_id varchar(40), day smallint, seq int, purpose text, zone_id text, start_min int, end_min bigint, mode text",
        "events": "subscriber_id varchar(40), time timestamp, zone_id text, kind text, direction text, duration_s numeric, "
                  "volume_kb double precision, app text"}  # fmt: skip
    server.asked("CREATE SCHEMA cdr")
    for name, columns in types.items():
        server.asked(f"CREATE TABLE cdr.{name} ({columns})")
        kept = ", ".join(duckdb.read_parquet(str(folder / f"{name}.parquet")).columns)
        rows = server.socket / f"{name}.csv"
        duckdb.sql(f"COPY (SELECT * FROM '{folder}/{name}.parquet') TO '{rows}' (HEADER false)")
        rows.chmod(0o644)
        server.asked(f"COPY cdr.{name} ({kept}) FROM '{rows}' (FORMAT csv)")
    return server


def address(server: Server, rest: str = "schema=cdr", user: str = "postgres", database: str = "postgres") -> str:
    return f"postgresql://{user}@/{database}?host={server.socket}&{rest}"


def curator(server: Server, read_from: str = "stays", **rest: str) -> Curator:
    return Curator(Sources(Address.of(address(server, **rest))), TOWN, FRIDAY_ON, read_from)  # type: ignore[arg-type]


@pytest.mark.parametrize("read_from", ["stays", "events"])
def test_the_counts_are_those_of_the_same_records_in_files(loaded: Server, folder: Path, read_from: str) -> None:
    files = Curator.of(folder, TOWN, read_from=read_from)
    plan = files.plan(PLAN)
    assert curator(loaded, read_from).plan(PLAN) == plan
    if read_from == "events":
        plan = replace(plan, requests=tuple(r for r in plan.requests if r.statistic in {"home_work", "chains", "od_hour", "event_volumes"}))
    ours, theirs = curator(loaded, read_from).exact(plan), files.exact(plan)
    for name, (cells, counts) in theirs.items():
        np.testing.assert_array_equal(ours[name][0], cells, err_msg=name)
        np.testing.assert_array_equal(ours[name][1], counts, err_msg=name)
    assert sum(len(cells) > 0 for cells, _ in theirs.values()) == len(plan.requests)


def test_numbers_kept_as_numeric_are_one_subscriber_whatever_their_scale(server: Server, tmp_path: Path) -> None:
    server.asked("CREATE SCHEMA odd")
    server.asked("CREATE TABLE odd.subscribers AS SELECT x::numeric(20, 2) AS subscriber_id FROM generate_series(1, 3) x")
    server.asked("CREATE TABLE odd.stays AS SELECT x::numeric AS subscriber_id, 0 AS day, 0 AS seq, 'home' AS purpose, 'z1' AS zone_id, "
                 "0 AS start_min, 1440 AS end_min FROM generate_series(1, 3) x")  # fmt: skip
    assert curator(server, rest="schema=odd").sizes(few()) == {"subscribers": 3, "stays": 3}


def test_single_tables_are_named_in_their_address(loaded: Server, folder: Path) -> None:
    sources = Sources(folder, stays=Address.of(address(loaded, "table=cdr.stays")))
    assert Curator(sources, TOWN, FRIDAY_ON).sizes(few()) == Curator.of(folder, TOWN).sizes(few())


def test_a_broken_row_is_named_by_its_place_in_the_table(loaded: Server) -> None:
    loaded.asked("CREATE SCHEMA broken; CREATE TABLE broken.subscribers AS TABLE cdr.subscribers")
    loaded.asked("CREATE TABLE broken.stays AS TABLE cdr.stays")
    loaded.asked("UPDATE broken.stays SET zone_id = 'zz' WHERE ctid = (SELECT ctid FROM broken.stays OFFSET 16 LIMIT 1)")
    where = loaded.asked("SELECT n FROM (SELECT row_number() OVER () AS n, zone_id FROM broken.stays) AS t WHERE zone_id = 'zz'")[0][0]
    with pytest.raises(RecordError, match=rf"^broken\.stays, row {where}: zone_id is not a zone"):
        curator(loaded, rest="schema=broken").sizes(few())


@pytest.mark.parametrize(("spoil", "says"), [
    ("DROP TABLE s.subscribers", "There is no subscribers.parquet or subscribers.csv, nor a table"),
    ("DROP TABLE s.stays", "There are neither stays nor events in"),
    ("ALTER TABLE s.stays DROP seq", "s.stays has no column 'seq'"),
    ("ALTER TABLE s.stays ALTER day TYPE text", "s.stays keeps day as string: it must be whole numbers"),
    ("DELETE FROM s.stays", "The table s.stays has no row"),
])  # fmt: skip
def test_what_is_missing_is_said(loaded: Server, spoil: str, says: str) -> None:
    loaded.asked("DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; CREATE TABLE s.subscribers AS TABLE cdr.subscribers")
    loaded.asked(f"CREATE TABLE s.stays AS TABLE cdr.stays; {spoil}")
    with pytest.raises(RecordError, match=says):
        curator(loaded, rest="schema=s").sizes(few())


@pytest.mark.parametrize(("rest", "says"), [
    ({"database": "nowhere"}, "There is no database"),
    ({"user": "nobody_here"}, "does not let this user in"),
    ({"user": "asked"}, "does not let this user in"),
    ({"rest": "schema=cdr&port=1"}, "cannot be reached"),
    ({"user": "blind"}, "may not be read by this user: GRANT SELECT"),
])  # fmt: skip
def test_a_server_that_does_not_answer_or_does_not_let_us_in(loaded: Server, rest: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        curator(with_roles(loaded), **rest).sizes(few())


def with_roles(server: Server) -> Server:
    """Two more users: one who is asked for a password, and one who may see tables but not read them."""
    if not server.asked("SELECT 1 FROM pg_roles WHERE rolname = 'asked'"):
        server.asked("CREATE ROLE asked LOGIN PASSWORD 'open-sesame'; CREATE ROLE blind LOGIN; GRANT USAGE ON SCHEMA cdr TO asked, blind; "
                     "GRANT SELECT ON ALL TABLES IN SCHEMA cdr TO asked")  # fmt: skip
        rules = server.socket / "data" / "pg_hba.conf"
        rules.write_text("local all asked scram-sha-256\n" + rules.read_text())
        server.asked("SELECT pg_reload_conf()")
    return server


def test_measure_reads_a_database_and_its_password_comes_from_the_environment_alone(
    loaded: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], town_file: Path
) -> None:
    where, secret = address(with_roles(loaded), user="asked"), "open-sesame"
    asked = ("--zones", town_file, "--epsilon", 20, "--delta", "1e-6", "--min-group", 10, "--yes", "-o", tmp_path / "release",
             "--first-day", str(FRIDAY_ON.first_day), "--days", FRIDAY_ON.days)  # fmt: skip
    paid = ("--ledger", tmp_path / "ledger" / "ledger.jsonl", "--customers", "Example Mobile")
    monkeypatch.setenv("PGPASSWORD", secret)
    assert synthmob("measure", where, *asked) == 2
    assert "--ledger FILE" in capfd.readouterr().err
    assert synthmob("measure", where.replace("asked@", f"asked:{secret}@"), *asked, *paid) == 2
    assert "holds a password" in capfd.readouterr().err
    assert synthmob("measure", where, *asked, *paid) == 0
    said = capfd.readouterr()
    assert secret not in said.out + said.err
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(written) > 3 and not any(secret.encode() in p.read_bytes() or b"postgres" in p.read_bytes() for p in written)
    monkeypatch.setenv("PGPASSWORD", "wrong")
    assert synthmob("measure", where, *asked[:-6], "-o", tmp_path / "second", *asked[-4:], *paid) == 2
    assert "does not let this user in" in capfd.readouterr().err


def test_spark_does_not_read_a_database(loaded: Server, tmp_path: Path) -> None:
    from types import SimpleNamespace

    from synthmob.private import postgres
    from synthmob.private.files import open_file

    with postgres.connections(), pytest.raises(RecordError, match="use --engine duckdb"):
        open_file(SimpleNamespace(name="pyspark"), postgres.Table.at(Address.of(address(loaded)), "stays"))


def test_all_tables_show_one_moment(loaded: Server) -> None:
    """A subscriber with a stay who comes while the tables are read is not there yet, in neither of them."""
    from synthmob.private import postgres

    loaded.asked("CREATE SCHEMA live; CREATE TABLE live.subscribers AS TABLE cdr.subscribers; CREATE TABLE live.stays AS TABLE cdr.stays")
    tables = [postgres.Table.at(Address.of(address(loaded, "schema=live")), name) for name in ("subscribers", "stays")]
    with postgres.connections():
        before = len(tables[0].rows(["subscriber_id"], "row").read_all())
        loaded.asked("INSERT INTO live.subscribers VALUES ('late'); INSERT INTO live.stays SELECT 'late', day, seq FROM live.stays LIMIT 5")
        late = [("late" in table.rows(["subscriber_id"], "row").read_all()["subscriber_id"].to_pylist()) for table in tables]
    assert late == [False, False]
    with postgres.connections():
        found = tables[0].rows(["subscriber_id"], "row").read_all()
    assert len(found) == before + 1 and found["row"].to_pylist() == list(range(1, before + 2))


@pytest.fixture(scope="module")
def town_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import geopandas

    path = tmp_path_factory.mktemp("zones") / "zones.geojson"
    parents = TOWN.parent_of("district")
    geopandas.GeoDataFrame(
        {"zone_id": TOWN.ids, "district_id": [TOWN.level_labels("district")[k] for k in parents[: TOWN.n_zones]]},
        geometry=list(TOWN.geometry), crs="EPSG:4326").to_file(path)  # fmt: skip
    return path
