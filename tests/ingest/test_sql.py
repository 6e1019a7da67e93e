"""Databases: a SQLite file, and a real PostgreSQL of which a copy is made."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sightline.ingest.database import copy_of, shown
from sightline.ingest.discover import discover
from sightline.ingest.errors import MappingError, SourceUnreadable
from sightline.ingest.source import Declared, Link, Selection, Table
from tests.ingest.conftest import triples
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


def test_no_password_is_shown(tmp_path: Path) -> None:
    url = "postgresql://ann:hunter2@localhost:1/shop"
    assert shown(url) == "postgresql://localhost:1/shop"
    with pytest.raises(SourceUnreadable, match="the database says: ") as caught:
        copy_of(url, tmp_path / "x.db")
    assert "hunter2" not in str(caught.value)
    assert "ann:" not in str(caught.value)
