"""Who loads what: serving knows no torch, starting up loads nothing heavy, help comes at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.packaging.circles import circles_of

#: Packages of the extra ``train``. The API image has none of them.
TRAINING = ("torch", "torch_geometric", "onnx", "onnxruntime", "safetensors")
#: Installed with the base, loaded only when a request needs them.
LAZY = ("pandas", "polars", "networkx", "rdflib", "onnxruntime")
HEAVY = (*TRAINING, *LAZY, "numba", "numpy", "scipy", "pyoxigraph", "fastapi", "uvicorn", "rich")

BLOCK = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {TRAINING!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
"""

LOADED = "import json, sys; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"

FACTS = """Anna,lives in,Bern
Anna,works at,Bakery
Bakery,located in,Bern
Ben,works at,Bakery
"""


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


def loaded_by(code: str, folder: Path) -> set[str]:
    """Top-level packages that are loaded after ``code`` ran."""
    done = python(f"{code}\n{LOADED}", folder)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace ``ws`` that was compiled where torch is not installed."""
    out = tmp_path_factory.mktemp("imports")
    (out / "facts.csv").write_text("head,relation,tail\n" + FACTS)
    code = (
        "from sightline.cli.main import run\n"
        "assert run(['ingest', 'facts.csv', '-w', 'ws']) == 0\n"
        "assert run(['compile', '-w', 'ws']) == 0\n"
    )
    done = python(BLOCK + code, out)
    assert done.returncode == 0, done.stderr
    return out


def test_the_service_answers_where_torch_is_not_installed(folder: Path) -> None:
    code = BLOCK + (
        "from pathlib import Path\n"
        "from fastapi.testclient import TestClient\n"
        "from sightline.api.app import create_app\n"
        "with TestClient(create_app(Path('ws'))) as client:\n"
        "    paths = client.get('/v1/paths', params={'source': 'Anna', 'target': 'Bern'})\n"
        "    related = client.get('/v1/entities/entity:Anna/related')\n"
        "    asked = {'head': 'Ben', 'relation': 'lives in', 'new_only': True}\n"
        "    predicted = client.post('/v1/predictions', json=asked)\n"
        "assert paths.status_code == 200, paths.text\n"
        "assert related.status_code == 200, related.text\n"
        "assert predicted.json()['model'].startswith('foundation'), predicted.text\n"
        "assert predicted.json()['predictions'], predicted.text\n"
        "print(paths.json()['found'])\n"
    )
    done = python("import warnings; warnings.simplefilter('ignore')\n" + code, folder)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "2"


def test_a_missing_extra_is_named(folder: Path) -> None:
    code = BLOCK + ("from sightline.cli.main import run\nassert run(['train', '-w', 'ws']) == 1\n")
    done = python(code, folder)

    assert done.returncode == 0, done.stderr
    assert 'pip install "sightline[train]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_an_application_ready_to_answer_has_loaded_nothing_heavy(folder: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from sightline.api.app import create_app\n"
        "create_app(Path('ws'))\n"
        # The compiler loads scipy itself; its parts are dear.
        "import sys; assert 'scipy.sparse' not in sys.modules\n"
    )

    assert loaded_by(code, folder) & {*TRAINING, *LAZY} == set()


@pytest.mark.parametrize("command", [[], ["related"], ["train"], ["serve"]], ids=str)
def test_help_loads_nothing_heavy(command: list[str], folder: Path) -> None:
    code = f"from sightline.cli.main import run\nassert run({[*command, '--help']}) == 0\n"

    assert loaded_by(code, folder) & {*HEAVY} == set()


def test_reading_data_loads_no_compiler(folder: Path) -> None:
    assert "numba" not in loaded_by("import sightline.ingest.load", folder)


def test_who_asks_a_service_loads_no_other_component(folder: Path) -> None:
    code = (
        "import sys, sightline.client\n"
        "ours = {m for m in sys.modules if m.startswith('sightline.')}\n"
        "assert all(m.startswith('sightline.client') for m in ours), ours\n"
    )

    # The command of httpx loads rich where that is installed.
    assert loaded_by(code, folder) & {*HEAVY} == {"rich"}


def test_a_circle_of_files_is_seen_and_a_chain_is_none() -> None:
    graph = grimp.ImportGraph()
    for importer, imported in ["ab", "bc", "ad"]:
        graph.add_import(importer=importer, imported=imported)
    assert circles_of(graph) == []
    graph.add_import(importer="c", imported="a")
    (circle,) = circles_of(graph)
    assert sorted(circle) == ["a", "b", "c"]


def test_training_loads_no_frame_library_and_no_server(folder: Path) -> None:
    code = (
        "import sightline.models.train, sightline.models.teacher\n"
        "import sightline.models.data.dataset, sightline.graph.storage.artifact\n"
        "import sightline.graph.snapshot.reader, sightline.graph.storage.workspace\n"
    )

    # PyG itself imports pandas and jinja2; what matters is that nothing of ours does.
    ours = {"polars", "rdflib", "pyoxigraph", "fastapi", "uvicorn"}
    assert loaded_by(code, folder) & ours == set()
