"""Runs the notebooks of the documentation with a small reader, no kernel.

    python -m tests.packaging.notebooks

writes what their cells show into them; a test compares.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

#: Where the commands of this environment are found first.
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs").rglob("*.ipynb"))


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def shell(command: str) -> None:
    """Run a line that begins with an exclamation mark."""
    subprocess.run(command, shell=True, check=True)


def shown(document: dict[str, Any]) -> list[Any]:
    """What the last expression of each code cell is, None where it shows nothing."""
    names: dict[str, Any] = {"_shell": shell}
    out = []
    for cell in document["cells"]:
        if cell["cell_type"] != "code":
            continue
        code = re.sub(
            r"^!(.*)$",
            lambda found: f"_shell({found[1]!r})",
            "".join(cell["source"]),
            flags=re.MULTILINE,
        )
        tree = ast.parse(code)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), names)
        value = None if last is None else eval(ast.unparse(last), names)  # noqa: S307
        out.append(None if code.rstrip().endswith(";") else value)
    return out


def outputs(value: Any) -> list[dict[str, Any]]:
    """A value as a notebook stores it."""
    if value is None:
        return []
    data = {"text/plain": repr(value).splitlines(keepends=True)}
    if hasattr(value, "_repr_html_"):
        data["text/html"] = value._repr_html_().splitlines(keepends=True)
    return [
        {"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data}
    ]


def texts(document: dict[str, Any]) -> list[str]:
    """What the code cells show, as text."""
    return [
        "".join("".join(one["data"]["text/plain"]) for one in cell["outputs"])
        for cell in document["cells"]
        if cell["cell_type"] == "code"
    ]


if __name__ == "__main__":
    os.environ["PATH"] = PATH
    for path in NOTEBOOKS:
        document = read(path)
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            values = iter(shown(document))
        for cell in document["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"] = outputs(next(values))
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
