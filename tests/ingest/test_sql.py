"""Databases: a SQLite file, and a real PostgreSQL of which a copy is made."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sightline.graph.progress import cancelled
from sightline.graph.record.loads import active_loads
from sightline.graph.storage.workspace import Workspace
from sightline.ingest import database as module
from sightline.ingest.database import copy_of, shown
from sightline.ingest.errors import MappingError, SourceUnreadable
from sightline.ingest.load import ingest
from sightline.ingest.source import Declared, Link, Selection, Table
from tests.ingest.conftest import discover, triples
from tests.needs import require

SCHEMA = """
create table customer (id integer primary key, name text not null, photo {binary});
create table orders (
  number integer, line integer, customer integer references customer (id), price numeric(8, 2),
  primary key (number, line));
insert into customer values (2, 'Bob', null), (1, 'Ann', {bytes});
insert into orders values (7, 2, 1, 1.50), (7, 1, null, 20);
"""


def tables(path: Path) -> dict[str, Table]:
    (source,) = discover([path])
    return {table.name: table for table in source.format.tables(source, Selection())}  # type: ignore[attr-defined]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop of mine.db"
    with sqlite3.connect(path) as database:
        database.executescript(SCHEMA.format(binary="blob", bytes="x'00ff'"))
    database.close()
    return path


def cells(table: Table) -> list[dict[str, object]]:
    return [row for batch in table.batches for row in batch.frame.to_dicts()]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_tables_come_in_the_order_of_their_keys_with_what_the_schema_declares(shop: Path) -> None:
    (source,) = discover([shop])
    read = {t.name: (cells(t), t) for t in source.format.tables(source, Selection())}  # type: ignore[attr-defined]
    people, customer = read["customer"]
    assert people == [
        {"id": "1", "name": "Ann", "photo": "AP8="},
        {"id": "2", "name": "Bob", "photo": None},
    ]
    assert [note.text for note in customer.notes] == [
        "binary values of customer (photo) are kept as base64"
    ]
    lines, orders = read["orders"]
    assert [line["line"] for line in lines] == ["1", "2"]
    assert customer.declared == Declared(("id",))
    link = Link(("customer",), "customer", ("id",))
    assert orders.declared == Declared(("number", "line"), (link,))


MAPPING = """
mappings:
  orders:
    sources: [["shop*.db~sql", TABLE]]
    s: entity:order/$(number)
    po: [[relation:customer, "entity:customer/$(customer)~iri"]]
"""


def test_a_mapping_names_a_table(shop: Path, load: Callable) -> None:
    (result,) = load({shop.name: shop.read_bytes()}, MAPPING.replace("TABLE", "orders"))
    assert triples(result.load) == [("entity:order/7", "relation:customer", "entity:customer/1")]
    with pytest.raises(MappingError, match="no table 'lines', only: customer, orders"):
        load({shop.name: shop.read_bytes()}, MAPPING.replace("TABLE", "lines"))


def test_a_database_that_is_damaged_in_the_middle_is_refused_in_one_line(
    shop: Path, workspace: Workspace
) -> None:
    with sqlite3.connect(shop) as database:
        rows = [(i, "name " * 20) for i in range(3, 3000)]
        database.executemany("insert into customer (id, name) values (?, ?)", rows)
    database.close()
    data = shop.read_bytes()
    for damaged in (data[: len(data) // 2], data[:20_000] + b"\xff" * 8192 + data[28_192:]):
        shop.write_bytes(damaged)
        with pytest.raises(SourceUnreadable, match=r"the database says: .*malformed") as caught:
            ingest(workspace, [shop])
        assert "\n" not in str(caught.value)
    assert active_loads(workspace) == []


def test_a_database_with_changes_beside_it_is_refused(shop: Path, workspace: Workspace) -> None:
    """They belong to it, and its own bytes would not tell when they change."""
    writer = sqlite3.connect(shop)
    writer.execute("pragma journal_mode=wal")
    writer.execute("insert into customer (id, name) values (3, 'Cy')")
    writer.commit()
    with pytest.raises(SourceUnreadable, match=r"lie in shop of mine.db-wal: another program"):
        ingest(workspace, [shop])
    writer.close()
    (result,) = ingest(workspace, [shop])
    assert ("entity:customer/3", "rdfs:label", "Cy") in triples(result.load)


PETS = """
create table person (id integer primary key, name varchar, tags varchar[], born date);
create table pet (
  number integer primary key, owner integer references person (id), weight decimal(5, 2),
  chip blob, seen timestamp);
insert into person values (2, 'Bo', null, null), (1, 'Ann', ['a', 'b'], '2001-02-03');
insert into pet values (7, 1, 4.50, 'x', '2020-01-01 10:00'), (8, 2, null, null, null);
"""


def test_a_duckdb_file_is_read_with_what_it_declares(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import duckdb

    path = tmp_path / "pets.db"
    with duckdb.connect(str(path)) as database:
        database.execute(PETS)
    (source,) = discover([path])
    read = {t.name: (cells(t), t.declared) for t in source.format.tables(source, Selection())}  # type: ignore[attr-defined]
    assert read["person"] == (
        [
            {"id": "1", "name": "Ann", "tags": ["a", "b"], "born": "2001-02-03"},
            {"id": "2", "name": "Bo", "tags": None, "born": None},
        ],
        Declared(("id",)),
    )
    link = Link(("owner",), "person", ("id",))
    assert read["pet"][1] == Declared(("number",), (link,))
    assert read["pet"][0][0] == {
        "number": "7",
        "owner": "1",
        "weight": "4.50",
        "chip": "eA==",
        "seen": "2020-01-01T10:00:00",
    }
    (result,) = ingest(workspace, [path])
    assert ("entity:pet/7", "relation:owner", "entity:person/1") in triples(result.load)
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(SourceUnreadable, match="the database says: "):
        ingest(workspace, [path])
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(SourceUnreadable, match=r"pip install 'sightline\[duckdb\]'"):
        ingest(workspace, [path])


def test_what_of_a_database_is_not_read_is_said(tmp_path: Path, workspace: Workspace) -> None:
    import duckdb

    one = "create table t (id integer primary key, n integer); insert into t values (1, 2);"
    more = "create view v as select * from t;"
    other = "create schema s; create table s.u (id integer); insert into s.u values (3);"
    with sqlite3.connect(tmp_path / "a.sqlite") as lite:
        lite.executescript(one + more)
    lite.close()
    for name, script in (("b.duckdb", one + more + other), ("c.duckdb", other)):
        with duckdb.connect(str(tmp_path / name)) as database:
            database.execute(script)
    made = ingest(workspace, [tmp_path / "a.sqlite", tmp_path / "b.duckdb"])
    said = [{n.text: n.warning for n in result.load.notes} for result in made]
    view = "left out: views, which show what is in tables: "
    left = "left out: tables that are not in the schema main: s.u"
    assert said[0][view + "v"] is said[1][view + "main.v"] is False
    assert said[1][left] is True
    with pytest.raises(SourceUnreadable, match=left):
        ingest(workspace, [tmp_path / "c.duckdb"])


def test_a_file_that_only_begins_like_a_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(SourceUnreadable, match="the database says: "):
        tables(path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own, behind a socket in a folder: the URL of its database."""
    found = shutil.which("postgres") or next(
        map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")), None
    )
    require("postgresql", found, "PostgreSQL is not installed (apt-get install postgresql)")
    programs = Path(str(found)).resolve().parent
    folder = tmp_path_factory.mktemp("postgres")
    options = {}
    if os.getuid() == 0:  # the server refuses to run as root
        options = {"user": "postgres", "group": "postgres"}
        shutil.chown(folder, **options)
        for parent in folder.parents:
            if parent == Path(tempfile.gettempdir()):
                break
            parent.chmod(0o755)

    def run(*command: str | Path) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, check=True, cwd=folder, **quiet, **options)  # type: ignore[call-overload]

    run(programs / "initdb", "-D", "data", "-A", "trust", "-U", "tester", "-E", "UTF8")
    settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    run(programs / "pg_ctl", "-D", "data", "-w", "-o", settings, "start")
    try:
        yield f"postgresql://tester:secret@/postgres?host={folder}"
    finally:
        run(programs / "pg_ctl", "-D", "data", "-m", "immediate", "stop")


def test_a_copy_of_a_postgresql_reads_as_the_database(server: str, tmp_path: Path) -> None:
    import psycopg

    with psycopg.connect(server) as database:
        database.execute(SCHEMA.format(binary="bytea", bytes="'\\x00ff'"))  # type: ignore[arg-type]
        database.execute("create table tag (id int primary key, names text[])")
        database.execute("insert into tag values (1, '{red,blue}')")
    first, second = tmp_path / "1.db", tmp_path / "2.db"
    copy_of(server, first)
    copy_of(server, second)
    assert first.read_bytes() == second.read_bytes()
    (source,) = discover([first])
    read = {t.name: (cells(t), t.declared) for t in source.format.tables(source, Selection())}  # type: ignore[attr-defined]
    assert read["customer"][0][0] == {"id": "1", "name": "Ann", "photo": "AP8="}
    assert [line["price"] for line in read["orders"][0]] == ["20.00", "1.50"]
    link = Link(("customer",), "customer", ("id",))
    assert read["orders"][1] == Declared(("number", "line"), (link,))
    assert read["tag"][0] == [{"id": "1", "names": '["red", "blue"]'}]


def test_a_postgresql_that_changes_while_it_is_copied_is_copied_as_it_was(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    with psycopg.connect(server) as database:
        database.execute("create table early (id int primary key)")
        database.execute("create table later (id int primary key)")
        for table in ("early", "later"):
            database.execute(f"insert into {table} select generate_series(1, 9)")

    def change() -> bool:
        """Another program writes between two batches."""
        with psycopg.connect(server) as database:
            database.execute("delete from later where id < 9")
            database.execute("insert into early select max(id) + 1 from early")
        return False

    monkeypatch.setattr(module, "RECORDS_PER_BATCH", 4)
    token = cancelled.set(change)
    copy_of(server, tmp_path / "copy.db")
    cancelled.reset(token)
    (source,) = discover([tmp_path / "copy.db"])
    read = {t.name: len(cells(t)) for t in source.format.tables(source, Selection())}  # type: ignore[attr-defined]
    assert (read["early"], read["later"]) == (9, 9)


def test_a_postgresql_that_goes_away_in_the_middle_leaves_nothing(
    server: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    with psycopg.connect(server) as database:
        database.execute("create table long (id int primary key)")
        database.execute("insert into long select generate_series(1, 99)")

    def end() -> bool:
        with psycopg.connect(server) as database:
            own = "pid <> pg_backend_pid() and datname = current_database()"
            database.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {own}")
        return False

    monkeypatch.setattr(module, "RECORDS_PER_BATCH", 4)
    token = cancelled.set(end)
    with pytest.raises(SourceUnreadable, match="the database says: ") as caught:
        ingest(workspace, [server])
    cancelled.reset(token)
    assert str(caught.value).endswith("; nothing was loaded")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert active_loads(workspace) == []


def test_no_password_is_shown(tmp_path: Path) -> None:
    url = "postgresql://ann:hunter2@localhost:1/shop"
    assert shown(url) == "postgresql://localhost:1/shop"
    with pytest.raises(SourceUnreadable, match="the database says: ") as caught:
        copy_of(url, tmp_path / "x.db")
    assert "hunter2" not in str(caught.value)
    assert "ann:" not in str(caught.value)
    # What follows a sign that is not encoded would be taken for the host or the port.
    for wrong in ("ann:x@hunter2@localhost", "ann@localhost:hunter2"):
        with pytest.raises(SourceUnreadable, match="'the database' cannot be read") as caught:
            copy_of(f"postgresql://{wrong}/shop", tmp_path / "x.db")
        assert "hunter2" not in str(caught.value)


def test_links_that_a_schema_forgets_are_found_by_sure_names(
    load: Callable, tmp_path: Path
) -> None:
    path = tmp_path / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "create table customer(customer_id integer primary key, name text);"
            "create table product(product_id integer primary key, name text);"
            "create table sale(sale_id integer primary key, product_id int, size int,"
            " customer_id int references customer);"
            "insert into customer values (1, 'Ann'); insert into product values (1, 'Tea');"
            "insert into sale values (7, 1, 1, 1);"
        )
    connection.close()
    (result,) = load({"shop.sqlite": path.read_bytes()})
    links = {(p, o) for s, p, o in triples(result.load) if s == "entity:sale/7" and "relation" in p}
    assert links == {
        ("relation:customer", "entity:customer/1"),
        ("relation:product", "entity:product/1"),
    }
