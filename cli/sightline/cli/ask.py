"""Commands that ask: one for every kind of answer that has a command, and `report`.

Makes arguments and options of a question's fields. Knows how the declaration of a kind becomes a
command; knows no kind.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer

from sightline.cli import terminal
from sightline.cli.compiling import answered
from sightline.cli.options import JsonOption, WorkspaceOption, open_for_asking
from sightline.graph.storage.workspace import Workspace
from sightline.insights import kind as declared
from sightline.insights import kinds


def commands() -> list[Callable[..., None]]:
    """The commands of this module."""
    return [*(command_of(kind) for kind in kinds.KINDS if kind.command), report]


def command_of(kind: declared.Kind[Any, Any]) -> Callable[..., None]:
    """What asks one kind of question, with a signature that typer reads its options from."""
    asked = [p for p in kind.parameters if not p.records]
    acts = ACTS.get(kind.name, {})
    order = Parameter.KEYWORD_ONLY
    listed = [
        *(p for p in map(_listed, asked) if p.default is Parameter.empty),
        Parameter("workspace", order, annotation=WorkspaceOption),
        *(p for p in map(_listed, asked) if p.default is not Parameter.empty),
        *(_acting(name, act) for name, act in acts.items()),
        Parameter("json", order, annotation=JsonOption, default=False),
    ]

    def command(workspace: Path, json: bool, **given: Any) -> None:
        for name, act in acts.items():
            if (ref := given.pop(name)) is not None:
                return act(workspace, ref)
        for parameter in asked:
            if parameter.many:
                # One argument of several that are lists: one item, or the lines of `-`.
                each = given[parameter.field] or ()
                given[parameter.field] = tuple(_each([each] if isinstance(each, str) else each))
        answer = answered(kind, open_for_asking(workspace), kind.question(**given))
        if json:
            terminal.print_json(answer)
        else:
            from sightline.cli import tables

            show: Callable[..., None] = tables.OWN.get(kind.name, tables.show)
            show(answer)

    command.__signature__ = Signature(listed)  # type: ignore[attr-defined]
    command.__annotations__ = {}
    command.__name__ = kind.command or kind.name
    command.__doc__ = f"{kind.about}\n\nExample: {kind.example}" if kind.example else kind.about
    return command


def apply(workspace: Path, ref: str) -> None:
    """Take the statements back that this finding's patch names."""
    from sightline.insights.kinds.doctor import accept

    finding, load = accept(open_for_asking(workspace), ref)
    assert finding.patch is not None
    terminal.say(finding.why)
    for one in finding.patch.retracts:
        terminal.say(f"taken back: {one.subject} {one.predicate} {one.object}")
    terminal.say(
        f"load {load.id}; next: sightline compile -w {workspace}; "
        f"to undo: sightline retract {load.id} -w {workspace}"
    )


def ignore(workspace: Path, ref: str) -> None:
    """List this finding no more, unless --state asks for it."""
    from sightline.insights.kinds.doctor import ignore as let_be

    finding = let_be(open_for_asking(workspace), ref)
    terminal.say(finding.why)
    terminal.say(
        f"ignored; to list it again: sightline doctor --reopen {finding.id} -w {workspace}"
    )


def reopen(workspace: Path, ref: str) -> None:
    """List this finding again: what was decided about it is taken back."""
    from sightline.insights.kinds.doctor import reopen as open_again

    finding = open_again(open_for_asking(workspace), ref)
    terminal.say(finding.why)
    terminal.say(f"listed again: sightline doctor -w {workspace}")


def undo(workspace: Path, ref: str) -> None:
    """Take the merge back that made this entity, by an IRI or id that is gone, another one."""
    from sightline.graph.merging.merge import undo as take_apart

    load, one = take_apart(Workspace.open(workspace), ref)
    terminal.say(f"taken back: {one.subject} is {one.object}")
    terminal.say(
        f"load {load.id}; next: sightline compile -w {workspace}; "
        f"to merge them again: sightline retract {load.id} -w {workspace}"
    )


#: What can be done about an answer, by the name of its kind: an option that takes an id.
ACTS: dict[str, dict[str, Callable[[Path, str], None]]] = {
    "doctor": {"apply": apply, "ignore": ignore, "reopen": reopen},
    "merges": {"undo": undo},
}


def _acting(name: str, act: Callable[[Path, str], None]) -> Parameter:
    option = typer.Option(f"--{name}", metavar="ID", help=act.__doc__)
    hint = Annotated[str | None, option]
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=hint, default=None)


def _listed(p: declared.Parameter) -> Parameter:
    """A field of a question as an argument, where it must be given, or as an option."""
    order = Parameter.KEYWORD_ONLY
    if p.required or p.argument:
        many = p.many and not (p.argument and p.argument.required)
        of_what = p.names if p.names and (many or p.name == "id") else p.name
        shown = of_what.upper() + "..." * many
        argument = typer.Argument(metavar=shown, help=p.about, show_default=False)
        if p.argument is not None and not p.argument.required:
            hint = list[str] | None if p.many else p.type
            return Parameter(p.field, order, annotation=Annotated[hint, argument], default=None)
        hint = str if p.argument else list[str] if p.many else p.type
        return Parameter(p.field, order, annotation=Annotated[hint, argument])
    long = f"--{p.name.replace('_', '-')}"
    names = ["-k", long] if p.name == "k" else [long]
    if p.type is bool and p.default:
        names = [f"{long}/--no-{long[2:]}"]
    metavar = p.names.upper() if p.names else None
    option = typer.Option(*names, help=p.about, metavar=metavar)
    hint, default = (list[str] | None, None) if p.many else (p.type, p.default)
    return Parameter(p.field, order, annotation=Annotated[hint, option], default=default)


def _each(given: Iterable[str]) -> Iterator[str]:
    """What was given, with the lines of standard input in place of ``-``."""
    for text in given:
        yield from filter(None, map(str.strip, sys.stdin)) if text == "-" else [text]


def report(
    workspace: WorkspaceOption,
    about: Annotated[
        list[str] | None,
        typer.Option(metavar="ENTITY", help="Repeat for several. [default: the best connected]"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Where to. [default: WS/reports]"),
    ] = None,
    sections: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML file that names the sections. [default: all]"),
    ] = None,
) -> None:
    """Write a batch report: HTML and Markdown to read, JSON, CSV and Parquet to process.

    One that was stopped goes on where it was when it is asked for again.
    """
    from sightline.insights.report.choice import read_sections
    from sightline.insights.report.write import write_report

    chosen = None if sections is None else read_sections(sections)
    sight = open_for_asking(workspace)
    entities = [sight.entity(name) for name in about or ()]
    with terminal.progress() as progress:
        folder = write_report(Workspace.open(workspace), sight, entities, out, progress, chosen)
    terminal.say(f"report: {folder / 'report.html'}")
