"""Writes the parts of the client that say what the declared kinds of answer say.

    python client/generate.py

Records and methods, and their reference in ``docs/``, are made of the declarations in
``sightline.insights.kinds``, so that editors and type checkers see real signatures and nothing is
said twice by hand. A test compares what is committed with what this makes.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sightline.api.doctor import Decision
from sightline.api.jobs.views import JobPage, JobView
from sightline.api.questions import Health
from sightline.api.reports import ReportPage, ReportView
from sightline.api.rollback import Pairs
from sightline.graph.record.raw import RawRecord
from sightline.insights import kinds as declared
from sightline.insights.kind import Kind, Parameter

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "client" / "sightline" / "client"
REFERENCE = ROOT / "docs" / "reference" / "client.md"
BEGIN, END = "<!-- client/generate.py -->\n", "<!-- end -->\n"
#: What is answered besides the kinds.
BESIDES = (ReportView, ReportPage, JobView, JobPage, RawRecord, Decision, Pairs, Health)
#: What says what a fact is: a record with one of these has edges to draw.
FACTS = ({"source", "relation", "target"}, {"head", "relation", "tail"})

HEAD = '''"""{}

Made by ``client/generate.py`` of the declared kinds of answer; not to be changed by hand.
"""

from __future__ import annotations

'''


def files() -> dict[Path, str]:
    """What is made, by the path of its file."""
    listed = declared.KINDS
    page = REFERENCE.read_text(encoding="utf-8")
    start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    return {
        PACKAGE / "records.py": formatted(records(listed)),
        PACKAGE / "kinds.py": formatted(methods(listed)),
        REFERENCE: page[:start] + "".join(map(section, listed)) + page[end:],
    }


def formatted(code: str) -> str:
    """The same as this project lays code out."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "x.py", "-"]
    return subprocess.run(
        command, input=code, capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout


def records(kinds: Iterable[Kind[Any, Any]]) -> str:
    """The module of records: every class that a kind's answer holds or its question takes."""
    found: dict[str, type] = {}
    for kind in kinds:
        for parameter in kind.parameters:
            _collect(parameter.type, found)
        if kind.batch:
            _collect(kind.question, found)
        _collect(kind.record, found)
    for record in BESIDES:
        _collect(record, found)
    about = HEAD.format("What answers are made of: frozen records of plain values.")
    imports = (
        "from collections.abc import Mapping\nfrom typing import Any, Literal\n\n"
        "from sightline.client.answers import Graph, Record, Table\n\n"
    )
    return about + imports + "\n\n".join(map(_class, found.values()))


def _collect(hint: Any, found: dict[str, type]) -> None:
    """Add the classes that a type is made of, those that others need first."""
    for part in get_args(hint):
        _collect(part, found)
    if not (isinstance(hint, type) and dataclasses.is_dataclass(hint)):
        return
    if found.get(hint.__name__) is hint:
        return
    if hint.__name__ in found:
        raise ValueError(f"two records are called {hint.__name__}; give one another name")
    for part in (*hint.__bases__, *get_type_hints(hint).values()):
        _collect(part, found)
    found[hint.__name__] = hint


def _class(record: type) -> str:
    inherited = [base for base in record.__bases__ if dataclasses.is_dataclass(base)]
    bases = [base.__name__ for base in inherited] or ["Record"]
    bases += [name for name, has in (("Table", _lists), ("Graph", _draws)) if has(record)]
    own = inspect.get_annotations(record)
    hints, listed = get_type_hints(record), dataclasses.fields(record)
    lines = [
        f"    {f.name}: {spelled(hints[f.name])}"
        + ("" if f.default is dataclasses.MISSING else f" = {f.default!r}")
        for f in listed
        if f.name in own
    ]
    head = f"class {record.__name__}({', '.join(bases)}):"
    return "\n".join([head, _documented(inspect.getdoc(record), 4), *lines])


def _lists(record: type) -> bool:
    """Whether it is an answer with a list of records, and none of its bases is."""
    hints = get_type_hints(record).values()
    answer = record in {*(kind.record for kind in declared.KINDS), ReportPage, JobPage, RawRecord}
    return answer and any(_items(hint) for hint in hints)


def _items(hint: Any) -> bool:
    return get_origin(hint) is tuple and dataclasses.is_dataclass(get_args(hint)[0])


def _draws(record: type) -> bool:
    """Whether it is an answer that holds facts."""
    found: dict[str, type] = {}
    _collect(record, found)
    names = [{f.name for f in dataclasses.fields(part)} for part in found.values()]
    answer = record in {kind.record for kind in declared.KINDS}
    return answer and any(ends <= fields for fields in names for ends in FACTS)


def spelled(hint: Any, many: str = "tuple[{}, ...]") -> str:
    """A type as code."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is tuple:
        return many.format(spelled(parts[0]))
    if origin is Mapping:
        return f"Mapping[{', '.join(map(spelled, parts))}]"
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, _choices(parts)))}]"
    if origin in (Union, UnionType):
        return " | ".join(spelled(part) for part in parts)
    return "None" if hint is NoneType else str(hint.__name__)


def _choices(parts: Iterable[Any]) -> Iterator[Any]:
    for part in parts:
        yield from _choices(get_args(part)) if get_origin(part) is Literal else [part]


def methods(kinds: Iterable[Kind[Any, Any]]) -> str:
    """The module of methods: one for every kind, for who waits and for who does not."""
    listed = tuple(kinds)
    used = {kind.record.__name__ for kind in listed}
    used |= {kind.question.__name__ for kind in listed if kind.batch}
    arguments = " ".join(_argument(p) for kind in listed for p in kind.parameters)
    found: dict[str, type] = {}
    for kind in listed:
        for p in kind.parameters:
            _collect(p.type, found)
    used |= {name for name in found if re.search(rf"\b{name}\b", arguments)}
    imports = (
        "from collections.abc import Sequence\nfrom typing import Literal\n\n"
        "from sightline.client.answers import awaited, question, several\n"
        "from sightline.client.errors import Problem\n"
        f"from sightline.client.records import {', '.join(sorted(used))}\n\n\n"
    )
    about = HEAD.format("One method for every kind of answer, with its arguments.")
    # A method is its signature and what it says of itself; its decorator makes it ask.
    return "".join(
        (
            '# mypy: disable-error-code="empty-body"\n',
            about,
            imports,
            "class Kinds:\n",
            '    """The questions that can be asked. Every error is a ``Problem``."""\n\n',
            *map(_method, listed),
            "\n\nclass AsyncKinds:\n",
            '    """The same as ``Kinds``, for who does something else meanwhile."""\n\n',
            *(f"    {name} = awaited(Kinds.{name})\n" for kind in listed for name in _names(kind)),
        )
    )


def _names(kind: Kind[Any, Any]) -> list[str]:
    return [kind.name, f"{kind.name}_each"] if kind.batch else [kind.name]


def _method(kind: Kind[Any, Any]) -> str:
    record, question = kind.record.__name__, kind.question.__name__
    alone = [p.field for p in kind.parameters if p.many and p.argument]
    out = [
        f"    @question({', '.join(map(repr, [kind.method, kind.path, *alone]))})",
        f"    def {kind.name}({', '.join(['self', *_listed(kind, _argument)])}) -> {record}:",
        _documented(_docstring(kind), 8) + "\n",
    ]
    if kind.batch:
        out += [
            f"    @several({kind.name})",
            f"    def {kind.name}_each(self, questions: Sequence[{question}]) -> "
            f"tuple[{record} | Problem, ...]:",
            f'        """As ``{kind.name}``, several questions at once; where one has none '
            'stands why."""\n',
        ]
    return "\n".join([*out, ""])


def _listed(kind: Kind[Any, Any], say: Callable[[Parameter], str]) -> list[str]:
    """The arguments of a method, those that may be given by their place before a star."""
    placed = [say(p) for p in kind.parameters if p.required or p.argument is not None]
    named = [say(p) for p in kind.parameters if not (p.required or p.argument is not None)]
    return [*placed, *["*"] * bool(named), *named]


def _argument(p: Parameter) -> str:
    default = "" if p.required else f" = {p.default!r}"
    return f"{p.field}: {spelled(p.type, 'Sequence[{}]')}{default}"


def _docstring(kind: Kind[Any, Any]) -> str:
    paragraphs = [" ".join(part.split()) for part in f"{kind.about}\n\n{kind.order}".split("\n\n")]
    text = "\n\n".join(textwrap.fill(part, 88) for part in paragraphs)
    about = [
        textwrap.fill(f"{p.field}: {' '.join(p.about.split())}", 87, subsequent_indent="    ")
        for p in kind.parameters
    ]
    return text + ("\n\nArgs:\n" + textwrap.indent("\n".join(about), "    ") if about else "")


def _documented(text: str | None, indent: int) -> str:
    end = '"""' if text and "\n" not in text else '\n"""'
    body = f'"""{text}{end}'.replace("\\", "\\\\")
    return textwrap.indent(body, " " * indent)


def section(kind: Kind[Any, Any]) -> str:
    """What the reference says of one method."""
    call = ", ".join(_listed(kind, lambda p: p.field))
    rows = "".join(
        f"| `{p.field}` | {_code(spelled(p.type, 'Sequence[{}]'))} | "
        f"{'' if p.required else _code(repr(p.default))} | {_cell(p.about)} |\n"
        for p in kind.parameters
    )
    table = f"| argument | type | default | |\n|---|---|---|---|\n{rows}\n" if rows else ""
    fields = ", ".join(f"`{f.name}`" for f in dataclasses.fields(kind.record))
    also = [f"`.{way}()`" for way, has in WAYS if has(kind.record)]
    batch = (
        f"`{kind.name}_each(questions)` asks several `{kind.question.__name__}` in one request.\n\n"
        if kind.batch
        else ""
    )
    return (
        f"### `{kind.name}({call})`\n\n{kind.about}\n\n{table}{batch}"
        f"Gives `{kind.record.__name__}`: {fields}{'; ' + ', '.join(also) if also else ''}.\n\n"
    )


WAYS = (("to_pandas", _lists), ("to_networkx", _draws))


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
