"""Sources that are no plain files: packed ones, archives, and what a server sends."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO, TextIOWrapper
from pathlib import Path
from threading import Thread
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from sightline.cli.main import run
from sightline.graph.record.loads import active_loads
from sightline.graph.storage.workspace import Workspace
from sightline.ingest import fetch
from sightline.ingest.discover import Taking
from sightline.ingest.errors import NetworkRefused, SourceError, SourceUnreadable
from sightline.ingest.load import ingest
from tests.ingest.conftest import triples

TABLE = b"head,relation,tail\na,likes,b\n"
FACT = [("entity:a", "relation:likes", "entity:b")]


def zstd(data: bytes) -> bytes:
    from backports import zstd

    return zstd.compress(data)


@pytest.mark.parametrize(
    ("ending", "pack"),
    [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("zst", zstd)],
)
def test_packed_files_are_read_and_broken_ones_refused(
    load: Callable, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    (result,) = load({f"t.csv.{ending}": pack(TABLE)})
    assert triples(result.load) == FACT
    with pytest.raises(SourceUnreadable, match="broken or cut short"):
        load({f"t.csv.{ending}": pack(TABLE * 9)[:-9]})


def archive(**members: bytes) -> bytes:
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name.replace("__", "/").replace("_", "."), data)
    return stream.getvalue()


def test_each_member_of_an_archive_is_a_source_called_after_it(load: Callable) -> None:
    one, two = load({"data.zip": archive(a__t_csv=TABLE, b__t_csv=TABLE.replace(b"b", b"c"))})
    assert triples(one.load) == FACT
    assert triples(two.load) == [("entity:a", "relation:likes", "entity:c")]
    assert [r.load.source for r in (one, two)] == ["a/t.csv", "b/t.csv"]


def test_members_that_are_left_out_are_said(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "data.zip", "w") as packed:
        for name in ("t.csv", "../out.csv", "..\\out.tsv", ".git/config", "__MACOSX/t.csv"):
            packed.writestr(name, TABLE)
    said: list[str] = []
    (one,) = ingest(Workspace.create(tmp_path / "ws"), [tmp_path / "data.zip"], say=said.append)
    assert one.load.source == "t.csv"
    out = "out.csv, out.tsv (their names lead out of the archive)"
    assert said == [f"passed over: {out}; config, t.csv (hidden)"]
    assert not (tmp_path / "out.csv").exists()


def test_bombs_and_archives_in_archives_are_refused(
    load: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceUnreadable, match="archive in an archive"):
        load({"out.zip": archive(in_zip=archive(t_csv=TABLE))})
    monkeypatch.setattr(fetch, "BOMB_SIZE", 1 << 16)
    bomb = archive(a_csv=TABLE, b_csv=TABLE + b"a,b,c\n" * (1 << 18))
    with pytest.raises(SourceError, match="decompression bomb"):
        load({"bomb.zip": bomb})
    monkeypatch.setattr(fetch, "MAX_MEMBERS", 1)
    with pytest.raises(SourceUnreadable, match="more than 1 members"):
        load({"many.zip": archive(a_csv=TABLE, b_csv=TABLE)})


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302 if self.path.startswith("/to/") else 200)
        if self.path.startswith("/to/"):
            self.send_header("Location", self.path.removeprefix("/to/"))
        length = len(TABLE) + (9 if self.path == "/short.csv" else 0)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(TABLE)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as http:
        thread = Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_the_network_is_asked_only_where_it_is_allowed(workspace: Workspace, server: str) -> None:
    url = f"{server}/t.csv"
    with pytest.raises(NetworkRefused, match="--allow-network"):
        ingest(workspace, [url])
    for address in (url, f"{server}/to/{url}"):
        (result,) = ingest(workspace, [address], taking=Taking(network=True))
        assert triples(result.load) == FACT
    assert len(active_loads(workspace)) == 1
    assert str(Path.cwd()) not in result.load.source


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/to/ftp://127.0.0.1/t.csv", "unsupported protocol 'ftp://'"),
        ("/short.csv", "without sending complete message body"),
    ],
)
def test_what_a_server_may_not_do(workspace: Workspace, server: str, path: str, says: str) -> None:
    with pytest.raises(SourceUnreadable, match=says):
        ingest(workspace, [server + path], taking=Taking(network=True))
    assert active_loads(workspace) == []


@pytest.mark.parametrize("url", ["http://[::1/t.csv", "http://x\n.y/t.csv"])
def test_an_address_that_is_none_is_refused(workspace: Workspace, url: str) -> None:
    with pytest.raises(SourceUnreadable, match=r"the network says: .*URL"):
        ingest(workspace, [url], taking=Taking(network=True))


def test_what_is_too_large_is_not_fetched_whole(
    workspace: Workspace, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "MAX_FETCHED", 9)
    with pytest.raises(SourceUnreadable, match="larger than 9 bytes"):
        ingest(workspace, [f"{server}/t.csv"], taking=Taking(network=True))


def test_a_profile_takes_what_is_loaded(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    packed = tmp_path / "data.zip"
    packed.write_bytes(archive(towns_csv="id,name\n1,Zürich\n2,Bern\n".encode("cp1252")))
    (tmp_path / "broken.sqlite").write_bytes(b"SQLite format 3\0 and no more")
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(TABLE)))
    sources = [str(packed), "-", str(tmp_path / "broken.sqlite"), f"{server}/t.csv"]
    options = ["--encoding", "windows-1252", "--json"]
    assert run(["profile", *sources, *options, "--skip-unreadable", "--allow-network"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["role"] for one in found] == ["things", "triples", "triples"]
    assert found[0]["source"] == "towns.csv"
    assert run(["profile", *sources, *options]) == 1
    said = capsys.readouterr().err
    assert "--allow-network fetches it" in said
    assert "Traceback" not in said
