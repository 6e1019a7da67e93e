"""The command `warm`: everything that is compiled at its first use, compiled at once.

The bundled example is built in a folder that is thrown away and every kind of question is asked of
it, so that a kernel is compiled for the very types that answers call it with.
"""

from __future__ import annotations

import shlex
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from sightline.cli import terminal
from sightline.cli.compiling import counting
from sightline.cli.demo import example_folder
from sightline.graph.errors import SightlineError
from sightline.graph.storage.workspace import Workspace
from sightline.insights import kinds


def warm(context: typer.Context) -> None:
    """Compile the numeric kernels once, so that no first question waits for them.

    Takes about a minute and a half where nothing is compiled yet, and some twenty seconds where
    everything is. Kernels are kept beside the code, or in the folder that NUMBA_CACHE_DIR names,
    for this kind of processor. For images and for servers; without it, the first question of each
    kind takes that time.

    Example: sightline warm
    """
    said = StringIO()
    examples = [shlex.split(kind.example)[1:] for kind in kinds.KINDS if kind.example]
    root = context.find_root().command
    with TemporaryDirectory(prefix="sightline-warm-") as folder, terminal.progress() as progress:
        ws = Workspace.create(Path(folder, "world"))
        with counting() as compiled:
            progress("warm", 0, len(examples) + 2, "the example")
            _build(ws)
            progress("warm", 1, len(examples) + 2, "the student")
            _student()
            for done, example in enumerate(examples, 2):
                progress("warm", done, len(examples) + 2, example[0])
                asked = [*example[: example.index("-w")], "-w", str(ws.path)]
                try:
                    with redirect_stdout(said):
                        root.main(args=asked, prog_name="sightline", standalone_mode=False)
                except SightlineError:  # an example about another graph than this one
                    continue
            progress("warm", len(examples) + 2, len(examples) + 2, "done")
    terminal.say(f"{len(compiled)} kernels compiled" if compiled else "everything is compiled")


def _build(ws: Workspace) -> None:
    """The example as a graph with its rules, its shuffled copies and the foundation member."""
    from sightline.distill.foundation.build import model_for
    from sightline.graph.snapshot.compile import compile_snapshot
    from sightline.ingest.load import ingest

    folder = example_folder()
    ingest(ws, [folder], mapping=folder / "mapping.yaml")
    compile_snapshot(
        ws, copies=True, rules=True, prepare=lambda snapshot: model_for(ws, snapshot)[0]
    )


def _student() -> None:
    """A student of one entity: learning one takes torch, and longer."""
    import numpy as np

    from sightline.distill.student.arrays import READ, WIDTH, StudentArrays
    from sightline.distill.student.compiled import CompiledStudent

    shapes = ((1, WIDTH), (2, WIDTH), (WIDTH, 4), (4,), (WIDTH, 4), (4,), (WIDTH, 4), (4,), (4,))
    zeros = (np.zeros(shape, np.float32) for shape in (*shapes, (4, READ), (READ,)))
    arrays = StudentArrays(*zeros)
    CompiledStudent.of(arrays).scores(arrays.entity, np.zeros(1, np.int32))
