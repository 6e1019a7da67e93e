"""The notebooks of the documentation run, and show what they say they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.packaging import notebooks


@pytest.mark.parametrize("path", notebooks.NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_shows_what_is_stored_in_it(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", notebooks.PATH)
    document = notebooks.read(path)
    found = ["".join(map(text, notebooks.outputs(v))) for v in notebooks.shown(document)]

    assert found == notebooks.texts(document), "run: python -m tests.packaging.notebooks"


def text(output: dict[str, dict[str, list[str]]]) -> str:
    return "".join(output["data"]["text/plain"])


def test_links_of_notebooks_lead_somewhere() -> None:
    assert notebooks.NOTEBOOKS
    for path in notebooks.NOTEBOOKS:
        written = (c for c in notebooks.read(path)["cells"] if c["cell_type"] == "markdown")
        for target in re.findall(r"\]\(([^):]+)\)", "".join("".join(c["source"]) for c in written)):
            assert (path.parent / target).exists(), target
