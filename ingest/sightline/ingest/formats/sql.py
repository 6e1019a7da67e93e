"""SQLite files.

Knows how one is told and opened; what is in it is known by ``database``, which is imported only
where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from sightline.ingest.source import Selection, Source, Table, TableFormat


def _tables(source: Source, selection: Selection) -> Iterator[Table]:
    from sightline.ingest.database import require_no_journal, tables_of

    way_out = f"close it, or run sqlite3 {source.path.name} 'pragma wal_checkpoint(truncate)'"
    require_no_journal(source, "-wal", way_out)
    path = quote(str(source.path.absolute()))
    return tables_of(source, selection, f"sqlite:///file:{path}?mode=ro&uri=true")


SQLITE = TableFormat(
    name="SQLite",
    endings=(".sqlite", ".sqlite3", ".db"),
    media_type="application/vnd.sqlite3",
    recognises=lambda head: head.startswith(b"SQLite format 3\0"),
    binary=True,
    tables=_tables,
    formulations=("sql",),
    selector=re.compile(r"[^$].*"),
)
