"""No file that is read runs code, and no dependency has a hole that is known."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
#: Modules whose files, when read, may run anything.
RUN = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
#: Where holes were mended: CVE-2025-62727 and CVE-2026-48710; CVE-2024-24762; files outside of a
#: model's folder; CVE-2026-24747.
MENDED = {"starlette": "1.0.1", "python-multipart": "0.0.7", "onnx": "1.21.0", "torch": "2.10.0"}


def unsafe(text: str) -> Iterator[str]:
    """What of a module may run code that it reads."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ({one.name.partition(".")[0] for one in node.names} & RUN)
        elif isinstance(node, ast.ImportFrom):
            yield from ({(node.module or "").partition(".")[0]} & RUN)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in ("eval", "exec", "torch.load", "os.system"):
                yield name
            for one in node.keywords:
                if isinstance(one.value, ast.Constant):
                    asked = one.arg, one.value.value
                    if asked in (("allow_pickle", True), ("weights_only", False), ("shell", True)):
                        yield f"{name}({one.arg}={one.value.value})"


def test_no_module_reads_what_may_run_code() -> None:
    shown = "import pickle\nfrom joblib import load\neval('1')\nnp.load(f, allow_pickle=True)"
    assert len(list(unsafe(shown))) == 4
    modules = list(ROOT.glob("*/sightline/**/*.py"))
    found = {
        f"{path.relative_to(ROOT)}: {what}"
        for path in modules
        for what in unsafe(path.read_text("utf-8"))
    }
    assert len(modules) > 100
    assert found == set()


@pytest.mark.parametrize("name", MENDED)
def test_no_version_with_a_known_hole_is_taken(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]["train"]
    wanted = {one.name: one for one in map(Requirement, [*project["dependencies"], *extras])}
    (least,) = (spec.version for spec in wanted[name].specifier if spec.operator == ">=")
    assert Version(least) >= Version(MENDED[name])
    assert Version(version(name)) >= Version(MENDED[name])
