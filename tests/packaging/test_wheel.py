"""What pip installs is complete, and works away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPONENTS = ("ingest", "graph", "models", "distill", "insights", "api", "client", "cli")


def shipped() -> set[str]:
    """Every file of the components and of the bundled example, as the wheel should name it."""
    out = set()
    for component in COMPONENTS:
        for path in (ROOT / component / "sightline").rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                out.add(str(path.relative_to(ROOT / component)))
    example = ROOT / "examples" / "world"
    for path in example.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            out.add(f"sightline/cli/world/{path.relative_to(example)}")
    return out


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel made from an sdist made from the checkout."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(out.glob("*.tar.gz"))) == 1
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as pip would lay it out."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_outside(installed: Path, folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code that sees the installed wheel, but not the checkout."""
    # An editable install puts the checkout on the path: those entries go, the wheel comes first.
    start = (
        "import sys\n"
        f"keep = [p for p in sys.path if 'site-packages' in p or not p.startswith({str(ROOT)!r})]\n"
        f"sys.path = [{str(installed)!r}, *keep]\n"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", start + code],
        cwd=folder,
        # A kernel is run as it is written: to compile all of them again takes half a minute.
        env={**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
    )


def test_the_wheel_holds_every_module_and_every_file_beside_them(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if not n.startswith("sightline-")}

    assert names == shipped()


def test_every_component_is_typed_and_the_namespace_stays_open(wheel: Path) -> None:
    names = shipped()

    assert {f"sightline/{c}/py.typed" for c in COMPONENTS} <= names
    # PEP 420: another distribution may add a portion of its own.
    assert "sightline/__init__.py" not in names


def test_every_module_imports_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    modules = sorted(
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in shipped()
        if name.endswith(".py")
        and not name.startswith("sightline/cli/world/")
        and (find_spec("triton") or not name.endswith("/fused.py"))  # it is for GPUs
    )
    code = (
        "import importlib\n"
        f"for name in {modules}:\n"
        "    module = importlib.import_module(name)\n"
        f"    assert module.__file__.startswith({str(installed)!r}), module.__file__\n"
        "print('all imported')"
    )
    done = run_outside(installed, tmp_path, code)

    assert done.stdout.strip() == "all imported", done.stderr


def test_the_command_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "facts.tsv").write_text("a\tknows\tb\nb\tknows\tc\nc\tknows\ta\n")
    code = (
        "from sightline.cli.main import run\n"
        "from sightline.cli.demo import example_folder\n"
        "assert (example_folder() / 'mapping.yaml').is_file(), example_folder()\n"
        "assert run(['ingest', 'facts.tsv', '-w', 'ws']) == 0\n"
        "assert run(['compile', '-w', 'ws']) == 0\n"
        "assert run(['related', 'a', '-w', 'ws', '--json']) == 0\n"
    )
    done = run_outside(installed, tmp_path, code)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"source": "facts.tsv"') == 2
