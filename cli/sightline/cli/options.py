"""Options that several commands share, and how a workspace is opened for asking."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sightline.graph.storage.workspace import Workspace

if TYPE_CHECKING:
    from sightline.insights.ask import Sightline

WorkspaceOption = Annotated[
    Path,
    typer.Option(
        "--workspace",
        "-w",
        metavar="WS",
        envvar="SIGHTLINE_WORKSPACE",
        help="The workspace folder.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
TuneOption = Annotated[
    bool,
    typer.Option(
        "--tune",
        help="Train the teacher in full with several penalties; the best on validation stays.",
    ),
]
WeightOption = Annotated[
    str | None,
    typer.Option(
        "--weight",
        metavar="NAME",
        help="What facts say of themselves in numbers, such as a rating: each counts by its share "
        "of the largest, and whole where it says nothing. Without it, all count alike.",
    ),
]
ExtractedOption = Annotated[
    bool,
    typer.Option(
        "--extracted", help="Learn from facts of texts, too; each counts by its confidence."
    ),
]
DeviceOption = Annotated[
    Literal["auto", "cpu", "cuda"], typer.Option(help="Where to train: auto takes a GPU if any.")
]
PresetOption = Annotated[
    Literal["quick", "standard", "max"],
    typer.Option(help="How much to spend on learning: minutes, or more for better answers."),
]
RunPresetOption = Annotated[
    Literal["none", "quick", "standard", "max"] | None,
    typer.Option(
        help="How much to spend on learning: none stops when the pre-trained member answers, the "
        "others take minutes, or more for better answers. [default: standard; none where the "
        "learning half is not installed]"
    ),
]
SeedOption = Annotated[int, typer.Option(help="Seed of everything random.", min=0)]
SourcesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...",
        help="Files, folders or globs: CSV, TSV, JSON, JSON Lines, Parquet, N-Triples, Turtle, "
        "plain or packed; a folder with train.txt, valid.txt and test.txt is a benchmark.",
        show_default=False,
    ),
]
MappingOption = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        "-m",
        metavar="FILE",
        help="YAML file (YARRRML keys), or RML in Turtle, that says how tables become facts. "
        "Without one, `sightline profile` says what is done.",
    ),
]
EncodingOption = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="Encoding of the text, such as windows-1252. Without it, it is found out.",
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="Format of the sources, such as csv or nt. Without it, it is found out.",
    ),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="NAME",
        help="What this one source is, wherever it lies: it takes the place of what was loaded "
        "under the same NAME. Without it, of what was loaded from the same path.",
    ),
]
NetworkOption = Annotated[
    bool, typer.Option("--allow-network", help="Fetch sources that are http or https addresses.")
]
SkipOption = Annotated[
    bool,
    typer.Option(
        "--skip-unreadable", help="Load the other sources where some cannot be read, and say which."
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Fail on the first bad record instead of setting it aside.")
]


def open_for_asking(workspace: Path) -> Sightline:
    """The served snapshot and model of a workspace."""
    from sightline.insights.ask import Sightline

    return Sightline.open(Workspace.open(workspace))


def require_training() -> None:
    """Check that the learning half is installed, before anything long begins.

    Raises:
        MissingExtra
    """
    from importlib.util import find_spec

    from sightline.graph.errors import MissingExtra

    for package in ("torch", "torch_geometric"):
        try:
            found = find_spec(package)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise MissingExtra(package, "train")
