"""How delimited text is laid out, told from its beginning: separator, quotes, comments, header.

Knows lines and cells; knows nothing of what columns mean. Of the separators that may be meant the
one is taken that cuts nearly all lines into the same number of fields. Text that none cuts so is no
table. Everything that was decided is a note.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sightline.graph.record.loads import Note
from sightline.ingest.batch import unique_names
from sightline.ingest.errors import SourceEmpty, SourceUnreadable
from sightline.ingest.formats import conventions
from sightline.ingest.formats.header import (
    GAF,
    GAF_MARK,
    GAF_WIDTHS,
    MOVIELENS,
    are_names,
    headerless,
    is_header,
    two_lines,
)
from sightline.ingest.formats.nulls import kind_of
from sightline.ingest.formats.quoting import find_records
from sightline.ingest.source import Source
from sightline.ingest.streams import HEAD, MAX_RECORD
from sightline.ingest.terms import RECORD, ROW

#: Separators of one character, in the order in which they are preferred.
SEPARATORS = ("\t", ",", ";", "|")
SPACES, COLONS = " ", "::"
#: As in the taxonomy of NCBI, whose lines end in a tab and a bar.
BARS = "\t|\t"
#: What separators of several characters are turned into before fields are cut.
UNIT = "\x1f"
CALLED = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars", SPACES: "blanks"}
CALLED[BARS] = "a tab, a bar and a tab"
#: Lines that begin so, before the first record, are comments.
COMMENTS = "#!%"
#: A table of more columns is something else, such as a matrix.
MOST_COLUMNS = 50_000
#: Lines from which a layout is told; those before a header are fewer.
SAMPLE, PREAMBLE = 400, 60
#: Share of the lines that a separator cuts alike: at least, and of one as good as the best.
LEAST, NEAR = 0.5, 0.1
#: Fields in quotes of a whole file that prove that its quotes are quotes.
PROOF = 100_000
csv.field_size_limit(MAX_RECORD)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a delimited file is laid out.

    Attributes:
        separator: one character, ``::``, ``BARS``, or a blank for runs of blanks.
        columns: their names, unique.
        header_lines: lines to skip before the first record.
        quotes: False where they are text.
        blanks: quotes that open a field may stand after blanks.
        comment: what begins lines that are passed over; empty where none does.
        exact: cells are taken as they are, as in benchmarks.
        notes: what was decided.
    """

    separator: str
    columns: tuple[str, ...]
    header_lines: int
    quotes: bool = True
    blanks: bool = False
    comment: str = ""
    exact: bool = False
    notes: tuple[Note, ...] = ()

    @property
    def cut(self) -> str:
        """The one character that separates fields after ``prepared``."""
        return self.separator if len(self.separator) == 1 and self.separator != SPACES else UNIT


@dataclass(frozen=True, slots=True)
class _Cut:
    """The first records of a text, by one separator."""

    separator: str
    quotes: bool
    blanks: bool
    width: int
    share: float
    records: list[list[str]]
    lines: list[int]  # the line after each record


def prepared(data: bytes, separator: str) -> bytes:
    """Whole lines with one character between fields, where the separator has several."""
    if separator == COLONS:
        return data.replace(COLONS.encode(), UNIT.encode())
    if separator == BARS:
        return re.sub(rb"\t\|(?=\r?\n|\Z)", b"", data).replace(BARS.encode(), UNIT.encode())
    if separator == SPACES:
        if b" \n" in data or b"\n " in data or b" \r" in data or data.startswith(b" "):
            data = re.sub(rb"(?m)^ +| +(?=\r?$)", b"", data)
        if b'"' not in data:
            return re.sub(rb"[ \t]+", UNIT.encode(), data)
        return re.sub(
            rb'(?<![^ \t\n])("[^"\n]*")(?![^ \t\r\n])|[ \t]+',
            lambda match: match[1] or UNIT.encode(),
            data,
        )
    return data


def fields(text: str, separator: str, quotes: bool = True, blanks: bool = False) -> list[str]:
    """The fields of a record; raises ``csv.Error``."""
    if not quotes:
        return text.split(separator)
    # csv would end the record at a bare CR; it is text like any other. No UTF-8 holds a surrogate.
    shielded = text.replace("\r", "\udc0d")
    reader = csv.reader([shielded], delimiter=separator, strict=True, skipinitialspace=blanks)
    return [field.replace("\udc0d", "\r") for field in next(reader, [])]


def layout_of(source: Source, usual: str, wanted: Sequence[str] = ()) -> Layout:
    """How a delimited file is laid out.

    Args:
        usual: the separator of its format.
        wanted: columns that a mapping names: a first line that holds one of them is a header, and
            there may be but one column.

    Raises:
        SourceEmpty, SourceUnreadable: it holds no record, or is no table.
    """
    stat = source.path.stat()
    about = (source, stat.st_mtime_ns, stat.st_size, usual)
    try:
        found = _layout(*about, ())
        if set(wanted) - {ROW, RECORD} <= set(found.columns):
            return found
    except SourceUnreadable:
        if not wanted:
            raise
    return _layout(*about, tuple(wanted))


@lru_cache(maxsize=4096)
def _layout(source: Source, _time: int, _size: int, usual: str, wanted: tuple[str, ...]) -> Layout:
    with source.open() as stream:
        head = stream.read(HEAD)
    whole = len(head) < HEAD
    text = (head if whole else head[: head.rfind(b"\n") + 1] or head).decode(errors="replace")
    if "\r" in text and "\n" not in text:
        raise SourceUnreadable(source.path, "its lines end in a bare CR; save it with LF or CRLF")
    lines = text.removesuffix("\n").split("\n")
    skip, told = 0, None
    if match := re.fullmatch(r'"?sep=(.)"?\r?', lines[0], re.IGNORECASE):
        skip, told = 1, match[1]
    comments = _comments(lines[skip:])
    body = lines[skip + comments :]
    if not any(line.strip() for line in body):
        raise SourceEmpty(source.path)
    mark = lines[skip + comments - 1].lstrip()[:1] if comments else ""
    widest = max(body[0].count(one) for one in SEPARATORS) + 1
    if widest > MOST_COLUMNS:
        raise SourceUnreadable(
            source.path,
            f"its first line has {widest:,} fields or more, and a table has {MOST_COLUMNS:,} "
            "columns at most; save it with a line for each value: record, column, value",
        )
    cut = _best_cut(source, body, usual, told, wanted)
    named = _named_in_comments(lines[skip : skip + comments], cut, mark)
    if comments > (named is not None) and _are_records(lines[skip : skip + comments], cut):
        comments, mark, named = 0, "", None
        cut = _best_cut(source, lines[skip:], usual, told, wanted)
    named = list(source.header) or named
    known = MOVIELENS.get(source.stem, ()) if cut.separator == "::" else ()
    if lines[skip].startswith(GAF_MARK) and cut.width in GAF_WIDTHS:
        known = GAF[: cut.width]
    return _with_header(source, cut, named, skip + comments, mark, wanted, known)


def _with_header(
    source: Source,
    cut: _Cut,
    named: list[str] | None,
    skipped: int,
    mark: str,
    wanted: Sequence[str],
    known: Sequence[str],
) -> Layout:
    """The layout of a text whose records, after the comments, are cut.

    Args:
        known: what columns without a header are called.
    """
    notes = []
    records, width = cut.records, cut.width
    header_lines, header = skipped, named
    if named is None and not source.split and known != GAF[:width]:  # which never has one
        place = _header_place(cut, wanted)
        if place is not None:
            header, header_lines = records[place], skipped + cut.lines[place]
            if two := two_lines(header, records[place + 1 :]):
                header, header_lines = two, skipped + cut.lines[place + 1]
                text = f"two lines name the columns: {', '.join(two)[:200]}"
                notes.append(Note(text, warning=True))
            if place:
                told = " / ".join(cut.separator.join(record) for record in records[:place])
                text = f"{place} lines before the header were passed over: {told[:200]}"
                notes.append(Note(text, warning=True))
    if header is None:
        names = known if len(known) == width else headerless(records, width)
        how = "has no header" + ("" if source.split else f"; its columns are called {_told(names)}")
    else:
        names = [""] * (width - len(header)) + header if len(header) == width - 1 else header
        while len(names) > width and not names[-1].strip():
            names = names[:-1]
        how = "has a header"
        if named:
            how += " in another file" if source.header else " in its last comment line"
    quotes = "" if cut.quotes else "; quotes are text"
    called = CALLED.get(cut.separator, repr(cut.separator))
    notes.insert(0, Note(f"a table, its fields between {called}{quotes}; it {how}"))
    if mark and (named is None or skipped > 1):
        notes.append(Note(f"lines that begin with {mark!r} were passed over as comments"))
    columns = unique_names(list(names) + [""] * (width - len(names)))
    return Layout(
        cut.separator,
        columns,
        header_lines,
        cut.quotes,
        cut.blanks,
        mark,
        source.split,
        tuple(notes),
    )


def _told(names: Sequence[str]) -> str:
    told = ", ".join(unique_names(names)[:4])
    return told + (", ..." if len(names) > 4 else "")


def _header_place(cut: _Cut, wanted: Sequence[str]) -> int | None:
    """Which record is the header, after lines that are none; None where there is no header."""
    if cut.records and conventions.names_columns(cut.records[0]):
        return 0
    records, width = cut.records, cut.width
    if any(name in wanted for name in unique_names(records[0])):
        return 0
    filled = [sum(map(bool, map(str.strip, record))) for record in records]
    usual = Counter(filled[1:] or filled).most_common(1)[0][0]
    for place, record in enumerate(records[:PREAMBLE]):
        few = filled[place] <= max(1, usual // 3) or len(record) < width - 1
        if few and place + 1 < len(records) and width > 2:
            continue
        if len(record) < width and _names_follow(records, place + 1, width):
            continue
        if is_header(record, records[place + 1 :], cut.separator == "\t"):
            return place
        break
    return 0 if is_header(records[0], records[1:], cut.separator == "\t") else None


def _names_follow(records: Sequence[Sequence[str]], place: int, width: int) -> bool:
    """Whether the next record with all cells is surely a header."""
    places = range(place, min(len(records), PREAMBLE))
    whole = next((i for i in places if len(records[i]) == width), None)
    return whole is not None and are_names(records[whole], records[whole + 1 :])


def _comments(lines: Sequence[str]) -> int:
    """How many of the first lines are comments, or stand between them."""
    mark = lines[0].lstrip()[:1] if lines else ""
    if not mark or mark not in COMMENTS:
        return 0
    last = 0
    for place, line in enumerate(lines):
        if line.startswith(mark):
            last = place + 1
        elif line.strip():
            break
    whole = any(line.strip() for line in lines[last:])
    return last if whole or not any(set(line) & set(SEPARATORS) for line in lines) else 0


def _named_in_comments(comments: Sequence[str], cut: _Cut, mark: str) -> list[str] | None:
    """The names of columns that the last comment line has."""
    if not comments:
        return None
    bare = comments[-1].rstrip("\r").lstrip(mark).strip(" ")
    names = _fields_of(bare, cut)
    if len(names) != cut.width or cut.width < 2 or any(len(name) > 60 for name in names):
        return None
    if not names[0]:
        names = [mark, *names[1:]]
    again = sum(name in (record[i] for record in cut.records if i < len(record))
                for i, name in enumerate(names))  # fmt: skip
    return names if again == 0 else None


def _are_records(comments: Sequence[str], cut: _Cut) -> bool:
    """Whether lines that look like comments are cut as records are."""
    whole = [line for line in comments if line.strip()]
    return all(len(_fields_of(line, cut)) == cut.width > 1 for line in whole)


def _fields_of(line: str, cut: _Cut) -> list[str]:
    data = prepared(line.encode(), cut.separator).decode()
    try:
        return fields(data, _one(cut.separator), cut.quotes, cut.blanks)
    except csv.Error:
        return []


def _one(separator: str) -> str:
    return UNIT if separator in (COLONS, SPACES, BARS) else separator


def _best_cut(
    source: Source, lines: Sequence[str], usual: str, told: str | None, wanted: Sequence[str]
) -> _Cut:
    """The records of a text by the separator that fits best.

    Raises:
        SourceUnreadable: none does.
    """
    data = "\n".join(lines).encode() + b"\n"
    data = data[: _end_of_line(data, 4 * SAMPLE)]
    if told is not None:
        return _cut(source, data, told)
    if BARS.encode() in data:
        bars = _cut(source, data, BARS)
        if bars.width > 1 and bars.share >= 1 - NEAR:
            return bars
    found = [_cut(source, data, s) for s in SEPARATORS if s.encode() in data]
    found = [cut for cut in found if cut.width > 1 and cut.share >= LEAST]
    if COLONS.encode() in data and (
        source.path.suffix.lower() not in (".csv", ".tsv") or not found
    ):
        colons = _cut(source, data, COLONS)
        if colons.width > 1 and colons.share >= 1 - NEAR:
            found.append(colons)
    best = max((cut.share for cut in found), default=0.0)
    found = [cut for cut in found if cut.share >= best - NEAR]
    # The header, or the first line, must be cut as the others are, if that is so of any separator.
    first = [cut for cut in found if any(len(r) == cut.width for r in cut.records[:PREAMBLE])]
    found = [cut for cut in first if len(cut.records[0]) == cut.width] or first or found
    if found:
        tabs = [cut for cut in found if cut.separator == "\t"]
        if len(found := tabs[:1] or found) > 1:
            found.sort(key=lambda cut: (-cut.width, -_numbers(cut), cut.separator != usual))
        chosen = found[0]
        if _is_prose(chosen, source):
            raise SourceUnreadable(source.path, "its lines are sentences, not records of a table")
        return chosen
    blanks = _cut(source, data, SPACES) if b" " in data else None
    if blanks and blanks.width > 1 and blanks.share >= 1 - NEAR / 2 and _are_tokens(blanks):
        return blanks
    alone = _cut(source, data, usual)
    if wanted and any(name in wanted for name in unique_names(alone.records[0])):
        return alone
    raise SourceUnreadable(source.path, _no_table(data, alone))


def _no_table(data: bytes, alone: _Cut) -> str:
    widths = [len(record) for record in alone.records]
    begin = data[:60].decode(errors="replace").partition("\n")[0].strip()
    if max(widths) == 1:
        return (
            f"it has one column or is no table (it begins {begin!r}): no separator was found; "
            "for a list of names, give it a header and say with --mapping what it means"
        )
    return (
        f"it is no table (it begins {begin!r}): no separator cuts its lines into the same number "
        "of fields; save it as CSV, one record a line"
    )


def _end_of_line(data: bytes, lines: int) -> int:
    end = 0
    for _ in range(lines):
        if not (following := data.find(b"\n", end) + 1):
            return len(data)
        end = following
    return end


def _cut(source: Source, data: bytes, separator: str) -> _Cut:
    """The first records by a separator, with quotes as quotes or as text, whichever fits."""
    data, one = prepared(data, separator), _one(separator)
    quoted = _records(data, separator, one, True, False)
    if b'"' not in data or separator == SPACES:
        return quoted
    escaped = re.escape(one.encode())
    if re.search(escaped + rb' +"', data):
        apart = _records(data, separator, one, True, True)
        if apart.share > quoted.share or not re.search(rb'"' + escaped, data):
            quoted = apart
    text = _records(data, separator, one, False, False)
    if _are_quoted(text):
        return quoted
    merged = len(quoted.records) < len(text.records)
    if text.share > quoted.share or (text.share == quoted.share == 1 and merged):
        return text
    if text.share == quoted.share and one != "," and _has_loose_quotes(source, one):
        return text
    return quoted


def _records(data: bytes, separator: str, one: str, quotes: bool, blanks: bool) -> _Cut:
    found = find_records(data, one, True, quotes, blanks)
    records: list[list[str]] = []
    after: list[int] = []
    following = [*found.lines[1:].tolist(), found.end_line]
    bad = 0
    for i, line in enumerate(following):
        text = data[found.starts[i] : found.ends[i]].decode(errors="replace").removesuffix("\r")
        if not text.strip():
            continue
        try:
            if i in found.bad:
                raise csv.Error
            records.append(fields(text, one, quotes, blanks))
            after.append(line)
        except csv.Error:
            bad += 1
        if len(records) == SAMPLE:
            break
    widths = Counter(len(record) for record in records if len(record) > 1)
    width, count = widths.most_common(1)[0] if widths else (1, len(records))
    share = count / max(1, len(records) + bad)
    return _Cut(separator, quotes, blanks, width, share, records or [[""]], after or [1])


def _are_quoted(text: _Cut) -> bool:
    """Whether most values of some column are in quotes, as writers do that put them around all."""
    for i in range(text.width):
        cells = [record[i] for record in text.records if i < len(record) and record[i]]
        inside = sum(len(c) > 1 and c.startswith('"') and c.endswith('"') for c in cells)
        if inside > 1 and 2 * inside > len(cells):
            return True
    return False


def _has_loose_quotes(source: Source, separator: str) -> bool:
    """Whether some quote of a file does not enclose a whole field of one line."""
    one = re.escape(separator.encode())
    inside = rb'"(?:[^"\n' + one + rb']|"")*"'
    enclosed = re.compile(
        rb"(?:(?<=[\n" + one + rb"])|^)" + inside + rb"(?=[\r\n" + one + rb"]|\Z)"
    )
    proof = 0
    with source.open() as stream:
        for block in stream.line_blocks():
            if not (quotes := block.count(b'"')):
                continue
            whole = enclosed.findall(block)
            if sum(field.count(b'"') for field in whole) != quotes:
                return True
            proof += len(whole)
            if proof > PROOF:
                return False
    return False


def _are_tokens(cut: _Cut) -> bool:
    """Whether fields between blanks are names and numbers, not the words of sentences."""
    cells = [cell for record in cut.records for cell in record]
    if len(cut.records) < 2 or any(cell.endswith((".", ",", ";", "!")) for cell in cells):
        return False
    if _numbers(cut):
        return True
    # Names of people have two or three words, too; ends of edges come again as other ends.
    ends = {record[0] for record in cut.records} & {record[-1] for record in cut.records}
    codes = sum(any(map(str.isdigit, cell)) for cell in cells) * 2 > len(cells)
    return cut.width <= 3 and (codes or bool(ends))


def _numbers(cut: _Cut) -> int:
    """How many columns hold nothing but numbers."""
    rows = [record for record in cut.records[1:] if len(record) == cut.width]
    columns = list(zip(*rows))
    return sum(all(kind_of(cell.strip()) == "number" for cell in column) for column in columns)


def _is_prose(cut: _Cut, source: Source) -> bool:
    """Whether commas, or the like, stand between the parts of sentences."""
    if cut.separator == "\t" or source.path.suffix.lower() in (".csv", ".tsv"):
        return False
    texts = [cut.separator.join(record).strip() for record in cut.records]
    words = sum(text.count(" ") + 1 for text in texts)
    ended = sum(text.endswith((".", "!", "?", ":")) for text in texts)
    return ended * 2 >= len(texts) and words >= 2 * sum(map(len, cut.records))


def prepared_blocks(blocks: Iterator[bytes], separator: str) -> Callable[[int], bytes]:
    """Reads blocks of whole lines as ``prepared`` gives them; empty at the end."""
    return lambda _size: prepared(next(blocks, b""), separator)
