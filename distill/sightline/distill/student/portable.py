"""The served student as files that answer where there is no Sightline.

``arrays`` are two ``.npz`` files that hold everything; ``onnx`` are two ONNX files beside a
``vocabulary.json``. One of the two is float32, the other int8. A manifest carries the SHA-256 of
each, so that a reader can check the bytes before it uses them. Facts are not in them: who asks
says what is known already.

Knows the model, its names and these files; knows no command and no torch.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sightline.distill.foundation.model import PART as FOUNDATION
from sightline.distill.student.arrays import StudentArrays
from sightline.distill.student.onnx_file import onnx_file
from sightline.distill.student.quantise import Packed, pack
from sightline.distill.student.student import Student
from sightline.graph.snapshot.reader import Snapshot, served_snapshot
from sightline.graph.storage.artifact import new_artifact
from sightline.graph.storage.errors import NotWritable
from sightline.graph.storage.strings import StringTable, match_sorted
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import readable_name
from sightline.models.errors import NoModel, NoVectors
from sightline.models.format import MODEL_FORMAT

Format = Literal["onnx", "arrays"]
FORMATS: tuple[Format, ...] = ("arrays", "onnx")
Vocabulary = Mapping[str, Any]


def export_student(ws: Workspace, format: Format, output: Path) -> None:
    """Write the served student to a new folder, which appears as a whole or not at all.

    Raises:
        NoModel, NothingCompiled, DamagedArtifact, FormatMismatch: there is none to export.
        NoVectors: the foundation member is served.
        NotWritable: also where ``output`` holds files already.
        MissingExtra: ONNX is asked for and not installed.
        DiskFull
    """
    model = ws.current.model
    if model is None:
        raise NoModel(ws.path)
    folder = ws.models / model
    if (folder / FOUNDATION).is_dir():
        raise NoVectors
    snapshot, student = served_snapshot(ws), Student.open(folder)
    output = output.resolve()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise NotWritable(output, "it exists, and is no empty folder")
    names = vocabulary(student, snapshot)
    said = {"format": MODEL_FORMAT, "model": model, "snapshot": snapshot.id}
    with new_artifact(output.parent, output.name, **said) as folder:
        for name, content in student_files(student.arrays, names, format):
            (folder / name).write_bytes(content)
        if format == "onnx":
            (folder / "vocabulary.json").write_bytes(_json(names))
        about = files("sightline.distill.student").joinpath("portable.md").read_bytes()
        (folder / "README.md").write_bytes(about)


def vocabulary(student: Student, snapshot: Snapshot) -> Vocabulary:
    """Names of rows and the numbers of the calibration, as they are written to JSON."""
    s = snapshot
    return {
        "entity": _names(student.entity_iris, s.entity_iris, s.entity_labels),
        "relation": _names(student.relation_iris, s.relation_iris, s.relation_labels),
        "calibration": asdict(student.calibration),
    }


def student_files(
    arrays: StudentArrays, vocabulary: Vocabulary, format: Format
) -> Iterator[tuple[str, bytes]]:
    """Name and content of the float32 and of the int8 file."""
    for name, int8 in (("student", False), ("student-int8", True)):
        packed = pack(arrays, int8=int8)
        if format == "onnx":
            yield f"{name}.onnx", onnx_file(packed)
        else:
            yield f"{name}.npz", arrays_file(packed, vocabulary)


def arrays_file(packed: Packed, vocabulary: Vocabulary) -> bytes:
    """The content of an ``.npz`` file: the same input gives the same bytes."""
    stream = io.BytesIO()
    arrays: dict[str, Any] = {"vocabulary": np.frombuffer(_json(vocabulary), np.uint8), **packed}
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def read_arrays(content: bytes) -> Packed:
    """The packed numbers in the content of an ``.npz`` file."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {name: file[name] for name in file.files if name != "vocabulary"}


def _names(iris: StringTable, known: StringTable, labels: StringTable) -> dict[str, list[str]]:
    # What the snapshot no longer holds is called by the end of its IRI.
    ids = match_sorted(iris, known)
    named = [labels[int(i)] if i >= 0 else readable_name(iri) for iri, i in zip(iris, ids)]
    return {"iri": list(iris), "label": named}


def _json(value: Vocabulary) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
