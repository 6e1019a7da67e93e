"""Find the files to load, and which part of a benchmark split each plays.

Knows folders, globs and names; leaves it to the formats what is in a file.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sightline.graph.errors import SightlineError, UsageError
from sightline.graph.record.loads import Note, Role
from sightline.graph.storage.settings import FILE as SETTINGS_FILE
from sightline.ingest import encoding
from sightline.ingest.batch import few_of
from sightline.ingest.errors import (
    NOTHING,
    SourceEmpty,
    SourceError,
    SourceNotFound,
    SourceUnreadable,
)
from sightline.ingest.fetch import (
    STDIN,
    ZIP,
    from_network,
    from_stdin,
    is_database,
    is_url,
    members,
)
from sightline.ingest.formats import known
from sightline.ingest.formats.delimited import header_of
from sightline.ingest.source import JUDGED, Source, StatementFormat
from sightline.ingest.streams import BLOCK, HEAD, PACKED_ENDINGS, ByteStream, without_packing

#: A folder with train, test and one of the second is a benchmark split: what its files are called,
#: without their ending, one of the next.
SPLIT: dict[str, Role] = {
    "train": "facts",
    "valid": "valid",
    "dev": "valid",
    "val": "valid",
    "test": "test",
    "valid_negatives": "valid_negatives",
    "test_negatives": "test_negatives",
}
SPLIT_ENDINGS = (".txt", ".tsv")
#: In a folder, a name that ends so says too little: prose, such as LICENSE.txt, does too.
VAGUE = ".txt"
#: Texts that are about the files beside them, unless they are named themselves.
ABOUT = re.compile(
    r"(?i:readme|licen[cs]e|copying|notice|changelog|changes|contributing|authors|citation)\b"
)
#: The name of a file with nothing but a header, less its ending, and those of what is below it.
HEADER = re.compile(r"(?i)[-_. ]?headers?$")
PART_OF = r"{}([-_. ]?(part)?[-_. ]?\d[-_.\d]*)?(\.\w+)+"
#: Characters of the name that a user may give a source.
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Taking:
    """What the user says of the sources.

    Attributes:
        encoding: that of their text; None where it is found out.
        format: as ``--format`` calls it; None where it is found out.
        network: sources on the network may be fetched.
        called: what the one source is, wherever it is.
    """

    encoding: str | None = None
    format: str | None = None
    network: bool = False
    called: str | None = None


FOUND_OUT = Taking()


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that somebody sent.

    Attributes:
        path: where its bytes are, under a name that is ours.
        name: what the sender calls it; no part of a path.
        place: as that of a ``Source``.
    """

    path: Path
    name: str
    place: str

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True)
class Found:
    """What is behind some paths.

    Attributes:
        sources: in order, each once.
        failed: why others cannot be read.
        passed: files of folders that are no sources, and why.
    """

    sources: list[Source] = field(default_factory=list)
    failed: list[SightlineError] = field(default_factory=list)
    passed: list[tuple[Path, str]] = field(default_factory=list)

    def leave_out(self, mapping: Path) -> None:
        """Pass over the mapping, which lies beside what it describes."""
        own = [source for source in self.sources if source.path.resolve() == mapping.resolve()]
        for source in own:
            self.sources.remove(source)
            self.passed.append((source.path, "it is the mapping"))

    def join_headers(self) -> None:
        """Give tables the header that is in a file of its own, as those of Neo4j's imports may be:
        ``movies-header.csv`` names the columns of ``movies.csv`` and ``movies-part1.csv``."""
        headers = {source.path: header_of(source) for source in self.sources}
        # Those without are as many as the files of a folder, which are not held against each other.
        for path, header in [one for one in headers.items() if one[1]]:
            part = re.compile(PART_OF.format(re.escape(HEADER.sub("", path.stem))), re.IGNORECASE)
            below = [
                place
                for place, source in enumerate(self.sources)
                if not headers[source.path]
                and source.path.parent == path.parent
                and part.fullmatch(source.path.name)
            ]
            for place in below:
                source = self.sources[place]
                note = Note(f"the names of its columns are in {path.name}")
                self.sources[place] = replace(source, header=header, notes=(*source.notes, note))
            if below:
                self.sources = [source for source in self.sources if source.path != path]


def survey(
    sources: Sequence[str | Path | Sent], taking: Taking = FOUND_OUT, scratch: Path | None = None
) -> Found:
    """What is behind paths, folders, globs, archives and addresses.

    A folder gives the files in it and below that have a known ending. One that holds ``train.txt``,
    ``valid.txt`` and ``test.txt`` is a benchmark split: train becomes facts, the others are held
    out. A zip archive gives what a folder would.

    Args:
        scratch: a folder for what is unpacked or fetched; without one nothing is.

    Raises:
        UsageError: what the user says of the sources makes no sense.
        SourceNotFound: nothing at all was found, and nothing failed.
    """
    look = _Survey(taking, scratch)
    for source in sources:
        look.at(source)
    found = look.found
    if not found.sources and not found.failed:
        names = ", ".join(str(source) for source in sources)
        ended = ", ".join(known.endings())
        reason = f"no file ends in {ended} (or that and {', '.join(PACKED_ENDINGS)})"
        if found.passed:
            reason += f"; passed over: {passed_over(found.passed)}"
        raise SourceNotFound(names, reason)
    found.join_headers()
    if taking.called is not None:
        found.sources = [_called(taking.called, found)]
    return found


def _called(name: str, found: Found) -> Source:
    """The one source, with the name that the user gives it."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(
            f"--source {name[:80]!r} is no name: it takes 1 to {LONGEST_NAME} characters in a line"
        )
    names = [str(source.origin) for source in found.sources]
    if found.failed and not names:
        raise found.failed[0]
    if len(names) + len(found.failed) > 1:
        more = len(names) + len(found.failed)
        raise UsageError(
            f"--source {name!r} is the name of one source, and these are {more}: "
            f"{', '.join(names[:5])}{', ...' if more > 5 else ''}; load them one by one, each with "
            "a name of its own"
        )
    return replace(found.sources[0], called=name)


def passed_over(passed: Sequence[tuple[Path, str]]) -> str:
    """Files that are no sources, by the reason."""
    reasons: dict[str, list[str]] = {}
    for path, reason in passed:
        reasons.setdefault(reason, []).append(path.name)
    return "; ".join(f"{few_of(names, 10)} ({reason})" for reason, names in reasons.items())


class _Survey:
    """Looks at sources one after the other."""

    def __init__(self, taking: Taking, scratch: Path | None) -> None:
        self.found = Found()
        self._taking = taking
        self._scratch = scratch
        self._seen: set[str] = set()
        self._fetched = 0
        self._format = None if taking.format is None else known.by_name(taking.format)
        self._encoding = None
        if taking.encoding is not None:
            try:
                self._encoding = encoding.canonical(taking.encoding)
            except LookupError as error:
                raise UsageError(
                    f"no encoding is called {taking.encoding!r}; --encoding takes names such as "
                    "utf-8, utf-16, windows-1252 and latin-1"
                ) from error

    def at(self, source: str | Path | Sent) -> None:
        """Take in what is behind a source that the user named, or a file that somebody sent."""
        with self._noting():
            if isinstance(source, Sent):
                self._add(source.path, True, Path(source.name), source.place, title=source.name)
            elif is_url(source):
                path = from_network(str(source), self._room(source), self._taking.network)
                self._add(path, True, Path(str(source)), str(source))
            elif is_database(source):
                from sightline.ingest.database import copy_of, shown

                path = self._room(source) / "database.sqlite"
                copy_of(str(source), path)
                self._add(path, True, Path(shown(str(source))), shown(str(source)))
            elif str(source) == STDIN:
                self._add(from_stdin(self._room(source)), True, Path("stdin"), "")
            else:
                for path, explicit in _files(Path(source), self.found.passed):
                    with self._noting():
                        self._add(path, explicit, None, os.path.abspath(path))

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except UsageError:
            raise
        except SightlineError as error:
            self.found.failed.append(error)

    def _room(self, source: str | Path) -> Path:
        """An empty folder for what is fetched."""
        if self._scratch is None:
            raise SourceUnreadable(source, "only files can be read here")
        self._fetched += 1
        room = self._scratch / str(self._fetched)
        room.mkdir()
        return room

    def _add(
        self,
        path: Path,
        explicit: bool,
        given: Path | None,
        place: str,
        inside: bool = False,
        title: str = "",
    ) -> None:
        """Take in a file.

        Args:
            explicit: the user named it.
            given: what the user calls it, if it was fetched.
            place: as that of the source.
            inside: it comes from an archive.
            title: as that of the source.
        """
        whole = os.path.realpath(path)
        if whole in self._seen:
            return
        self._seen.add(whole)
        said = given or path
        ending = Path(without_packing(path.name)).suffix.lower()
        if not explicit and ending not in (*known.endings(), ".zip"):
            what = f"files that end in {ending}" if ending else "files without an ending"
            self.found.passed.append((said, f"{what} are read where they are named"))
            return
        if not path.is_file():
            raise SourceUnreadable(said, "it is no regular file")
        with naming(path, given), ByteStream(path) as stream:
            head = stream.read(HEAD)
            if head.startswith(ZIP) and not _is_binary(head) and self._format is None:
                if inside:
                    raise SourceUnreadable(path, "it is an archive in an archive; unpack it first")
                self._unpack(path, said, place)
                return
            source = self._recognised(path, ending, head, stream)
            if not head and not isinstance(source.format, StatementFormat):
                raise SourceEmpty(path)
        source = replace(source, given=given, place=place, title=title)
        if not explicit and ending == VAGUE and not source.split:
            try:
                if source.format.check is not None:
                    source.format.check(source)
            except SourceError as error:
                reason = str(error).partition(" cannot be read: ")[2].removesuffix(NOTHING)
                self.found.passed.append((said, reason or "it holds no record"))
                return
        if not explicit and source.role == "text" and ABOUT.match(path.name):
            reason = "texts about the files are read where they are named"
            self.found.passed.append((said, reason))
            return
        self.found.sources += _parts(source, head)

    def _unpack(self, path: Path, said: Path, place: str) -> None:
        for name, where in members(path, self._room(path), said, passed=self.found.passed):
            inner = place and f"{place}/{name.relative_to(said).as_posix()}"
            with self._noting():
                self._add(where, False, name, inner, inside=True)

    def _recognised(self, path: Path, ending: str, head: bytes, stream: ByteStream) -> Source:
        """The source, its format and its encoding, from its first bytes and what follows them."""
        if _is_binary(head):
            format = self._format or known.recognise(path, ending, head)
            return Source(path, format, format.role)
        found = self._encoding or encoding.wide(head)
        if found is not None and encoding.name_of(found) != "UTF-8":
            with ByteStream(path, found) as decoded:
                head = decoded.read(HEAD)
        format = self._format or known.recognise(path, ending, head)
        if found is None and format.legacy:
            found = _narrow(head, stream)
        if found is not None and encoding.name_of(found) == "UTF-8":
            found = None
        notes: list[Note] = []
        if found is not None and self._encoding is None:
            told = f"its text is in {encoding.name_of(found)}, as it looks; else say its encoding"
            notes.append(Note(told, warning=found in encoding.GUESSED))
        named = path.suffix in SPLIT_ENDINGS and path.stem in SPLIT
        if self._format is None and named and _is_split(path.parent):
            return Source(path, format, SPLIT[path.stem], True, found, notes=tuple(notes))
        return Source(path, format, format.role, encoding=found, notes=tuple(notes))


def _is_binary(head: bytes) -> bool:
    return any(format.binary and format.recognises(head) for format in known.FORMATS)


def _is_split(folder: Path) -> bool:
    """Whether a folder is a benchmark split; under other names than the usual three, where its
    first training triples show it, for others call parts of tables so, too."""
    if all((folder / f"{part}.txt").exists() for part in ("train", "valid", "test")):
        return True
    files = [path for path in folder.iterdir() if path.suffix in SPLIT_ENDINGS and path.is_file()]
    parts = sorted(SPLIT[path.stem] for path in files if path.stem in SPLIT)
    if [part for part in parts if "_" not in part] != ["facts", "test", "valid"]:
        return False
    (train,) = (path for path in files if path.stem == "train")
    with train.open("rb") as file:
        triples = [line.split(b"\t") for line in file.read(HEAD).splitlines()[:-1]]
    if not triples or {len(triple) for triple in triples} != {3}:
        return False
    heads, relations, tails = map(set, zip(*triples))
    return bool(heads & tails) and len(relations) < len(triples)


def _parts(source: Source, head: bytes) -> list[Source]:
    """The source; where it says of held-out triples which are true, the true and the false ones."""
    if not source.split or source.role not in ("valid", "test"):
        return [source]
    lines = head.splitlines()[: -1 if len(head) == HEAD else None]
    after = {line.split(b"\t", 3)[3] if line.count(b"\t") == 3 else b"" for line in lines}
    if not set() < after <= {sign.encode() for sign in JUDGED}:
        return [source]
    true, false = JUDGED
    negatives: Role = "valid_negatives" if source.role == "valid" else "test_negatives"
    told = (
        "each of its triples is true or false, as the 1 or -1 after it says; these are the {} ones"
    )
    return [
        replace(source, judged=sign, role=role, notes=(*source.notes, Note(told.format(word))))
        for sign, role, word in ((true, source.role, "true"), (false, negatives, "false"))
    ]


def _narrow(head: bytes, stream: ByteStream) -> str | None:
    """The encoding of a text if it is not UTF-8, whole."""
    block = head
    while block:
        following = stream.read(BLOCK)
        if not encoding.is_utf8(block, cut=True):
            return encoding.narrow(block)
        tail = block[-3:] if following else b""
        block = tail[_start(tail) :] + following if following else b""
    return None


def _start(tail: bytes) -> int:
    """Where a character begins that is cut at the end of some bytes."""
    for place in range(len(tail) - 1, -1, -1):
        if tail[place] >= 0xC0:
            return place
        if tail[place] < 0x80:
            break
    return len(tail)


@contextmanager
def naming(path: Path, given: Path | None) -> Iterator[None]:
    """Errors call a file that was fetched or unpacked what the user calls it."""
    try:
        yield
    except SightlineError as error:
        if given is not None:
            error.args = (str(error).replace(repr(str(path)), repr(_as_written(given))),)
        raise


def _as_written(given: Path) -> str:
    # A path has one slash where an address has two.
    return re.sub(r"^(https?|[a-z]+sql|mariadb|oracle):/(?=[^/])", r"\1://", str(given))


def _files(path: Path, passed: list[tuple[Path, str]]) -> Iterator[tuple[Path, bool]]:
    """Files behind a path, and whether the user named the file itself."""
    try:
        if path.is_dir():
            yield from ((file, False) for file in _below(path, passed))
        elif path.exists():
            yield path, True
        elif path.is_symlink():
            raise SourceUnreadable(path, "it is a link that leads nowhere")
        elif matches := sorted(glob.glob(str(path), recursive=True)):
            for match in matches:
                yield from _files(Path(match), passed)
        else:
            raise SourceNotFound(path)
    except OSError as error:
        raise SourceUnreadable(error.filename or path, str(error.strerror)) from error


def _below(folder: Path, passed: list[tuple[Path, str]]) -> Iterator[Path]:
    """The files of a folder and below, without hidden ones and those of workspaces."""

    def fail(error: OSError) -> None:
        raise error

    for parent, folders, files in os.walk(folder, onerror=fail):
        if SETTINGS_FILE in files:
            passed.append((Path(parent), "a workspace"))
            folders.clear()
            continue
        hidden = [name for name in (*folders, *files) if name.startswith(".")]
        passed += [(Path(parent, name), "hidden") for name in hidden]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(files) if not name.startswith("."))


def shown_names(sources: Sequence[Source], taken: Mapping[str, str]) -> list[str]:
    """What answers call each file: nothing that tells where this machine keeps it.

    A path that the user wrote as a relative one is told as it is, others from the folder that they
    share. A file of the same name elsewhere is told apart by a folder more. What came from the
    network or from standard input is called what the user calls it.

    Args:
        taken: name to place of sources that were loaded before.
    """
    files = [Path(source.place) for source in sources if os.path.isabs(source.place)]
    shared = os.path.commonpath([path.parent for path in files]) if files else ""
    known = dict(taken)
    names = []
    for source in sources:
        path, full = source.origin, Path(source.place)
        if not full.is_absolute():
            names.append(_as_written(path))
            continue
        shown = full.relative_to(shared) if path.is_absolute() else path
        name, parts = str(shown), len(shown.parts)
        while known.get(name, str(full)) != str(full) and parts < len(full.parts):
            parts += 1
            name = str(Path(*full.parts[-parts:]))
        known[name] = str(full)
        names.append(name)
    return names
