"""The documentation is complete and true where a program can tell."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import re
import shlex
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from sightline.api.mcp.brief import BUDGET, TEXT
from sightline.api.questions import spans
from sightline.cli.main import app
from sightline.client import Client
from sightline.graph.errors import SightlineError
from sightline.graph.storage import settings
from sightline.ingest import mapping
from sightline.insights import kinds
from tests.error_tree import every_error

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *(ROOT / "docs").rglob("*.md")]
    if not {"site-packages", "node_modules", "workspaces"} & set(path.parts)
    and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


MAPPINGS = [
    block
    for page in PAGES
    for block in re.findall(r"^```yaml\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)
    if re.search(r"^mappings:", block, re.MULTILINE)
]


def load(path: Path) -> Any:
    """A script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def section(path: Path, title: str) -> str:
    """The text under the heading that contains ``title``, up to the next one of its level."""
    heading = re.compile(rf"^(#+) `{re.escape(title)}`$", re.MULTILINE)
    start = heading.search(text_of(path))
    assert start is not None, f"{path.name} has no heading `{title}`"
    rest = text_of(path)[start.end() :]
    end = re.search(rf"^#{{1,{len(start.group(1))}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def undocumented_options(name: str, command: Any) -> list[str]:
    """What the documentation does not say about a command."""
    about = section(REFERENCE / "cli.md", f"sightline {name}")
    missing = [] if command.help else ["help"]
    for param in command.params:
        long = [option for option in param.opts if option.startswith("--")]
        wanted = max(long, key=len) if long else (param.metavar or param.name.upper()).rstrip(".")
        spans = re.findall(r"\d+ to \d+", getattr(param, "help", None) or "")
        missing += [text for text in (wanted, *spans) if text not in about]
    return missing


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_documented(name: str) -> None:
    assert undocumented_options(name, COMMANDS[name]) == []


def test_no_command_is_documented_that_does_not_exist() -> None:
    found = re.findall(r"^#+ `sightline (\w+)`$", text_of(REFERENCE / "cli.md"), re.MULTILINE)

    assert sorted(found) == sorted(COMMANDS)


@pytest.fixture(scope="module")
def openapi(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from sightline.api.app import create_app
    from sightline.graph.storage.workspace import Workspace

    folder = tmp_path_factory.mktemp("ws")
    Workspace.create(folder)
    return create_app(folder).openapi()


def undocumented_parameters(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    """What the documentation does not say about a route."""
    about = section(REFERENCE / "http.md", f"{method.upper()} {path}")
    missing = []
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            schema = parameter["schema"]
            limits = [f"{schema['minimum']} to {schema['maximum']}"] if "maximum" in schema else []
            missing += [t for t in (f"`{parameter['name']}`", *limits) if t not in about]
    return missing


def test_every_route_and_parameter_is_documented(openapi: dict[str, Any]) -> None:
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            assert undocumented_parameters(method, path, operation) == [], path


def test_no_route_is_documented_that_does_not_exist(openapi: dict[str, Any]) -> None:
    routes = {f"{m.upper()} {path}" for path, ops in openapi["paths"].items() for m in ops}
    pages = {"POST /mcp", "GET /", "GET /docs", "GET /openapi.json"}
    found = re.findall(
        r"^#+ `((?:GET|POST|DELETE|PUT) \S+)`$", text_of(REFERENCE / "http.md"), re.MULTILINE
    )

    assert set(found) - pages == routes - pages


def test_the_client_is_what_its_generator_makes_of_the_kinds() -> None:
    made = load(ROOT / "client" / "generate.py").files()

    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, "run: python client/generate.py"


def test_every_tool_for_agents_is_documented() -> None:
    about = text_of(ROOT / "docs" / "how-to" / "agents.md")

    assert {kind.name for kind in kinds.KINDS} <= set(re.findall(r"`(\w+)`", about))
    assert f"{BUDGET:,} characters" in about
    assert f"first {TEXT} characters" in about


def test_every_method_of_the_client_is_documented() -> None:
    about = text_of(REFERENCE / "client.md")

    for name, _ in inspect.getmembers(Client, inspect.isfunction):
        assert name.startswith("_") or f"`{name}(" in about, name


def test_every_setting_is_documented(tmp_path: Path) -> None:
    settings.write_template(tmp_path / "sightline.toml")
    template = tomllib.loads((tmp_path / "sightline.toml").read_text())
    keys = {*template, *template["graph"], *(f.name for f in dataclasses.fields(settings.Settings))}

    for key in keys:
        assert f"`{key}`" in text_of(REFERENCE / "settings.md"), key


def named_errors() -> list[type[SightlineError]]:
    """Those that are raised: with a message of their own, or a name of what is unknown."""
    return [
        c
        for c in every_error()
        if c is not SightlineError
        and not c.__name__.startswith("_")
        and ("__init__" in vars(c) or "what" in vars(c))
    ]


@pytest.mark.parametrize("error", named_errors(), ids=lambda e: e.__name__)
def test_every_error_is_documented_with_its_codes(error: type[SightlineError]) -> None:
    kind = error.__new__(error).kind
    row = re.search(rf"^\| `{kind}` \|.*$", text_of(REFERENCE / "errors.md"), re.MULTILINE)

    assert row is not None, f"errors.md has no row for `{kind}`"
    assert f"| {error.status} | {error.exit_code} |" in row.group(0)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if re.match(r"\w+:", target):
            continue
        path, _, heading = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), f"{page.name}: {target}"
        assert not heading or heading in anchors(there), f"{page.name}: no heading #{heading}"


def anchors(page: Path) -> set[str]:
    """What a link may name after ``#``: headings as GitHub names them."""
    titles = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {
        (index.parent / target.partition("#")[0]).resolve()
        for target in re.findall(r"\]\(([^)\s:]+)\)", text_of(index))
    }

    assert [p for p in PAGES if p.is_relative_to(index.parent) and p not in {index, *linked}] == []


def test_every_component_says_what_it_knows() -> None:
    components = {path.parents[2].name for path in ROOT.glob("*/sightline/*/__init__.py")}
    assert len(components) == 8

    for name in components:
        about = text_of(ROOT / name / "README.md")
        assert "Knows" in about, name
        assert "oes not know" in about, name
        modules = {m.stem for m in (ROOT / name / "sightline" / name).rglob("[a-z]*.py")} - {
            "errors"
        }
        missing = {m for m in modules if f"`{m}`" not in about}
        assert not missing, f"{name}/README.md leaves out {sorted(missing)}"


def test_the_architecture_names_files_that_exist() -> None:
    text = text_of(ROOT / "ARCHITECTURE.md")
    folder = ROOT
    for name in re.findall(r"`([\w./]+\.(?:py|jinja))`", text):
        folder = (ROOT / name).parent if "/" in name else folder
        assert (folder / Path(name).name).exists(), f"{name} (in {folder.relative_to(ROOT)})"


def test_every_target_of_make_is_documented() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", text_of(ROOT / "Makefile"), re.MULTILINE)
    assert "demo" in targets

    for target in targets:
        assert f"`make {target}`" in text_of(ROOT / "CONTRIBUTING.md"), target


def test_every_key_of_a_mapping_is_documented() -> None:
    about = text_of(ROOT / "docs" / "how-to" / "mapping.md")

    for key in {*mapping.MAPPING_KEYS, *mapping.PO_KEYS, *mapping.OBJECT_KEYS} - {"subjects"}:
        assert re.search(rf"`{key}`|\b{key}:|`{{.*\b{key}: ", about), key


@pytest.mark.parametrize("block", range(len(MAPPINGS)))
def test_mappings_in_examples_can_be_read(block: int, tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text(MAPPINGS[block], encoding="utf-8")

    assert mapping.read_mapping(tmp_path / "map.yaml", settings.Settings().prefixes).tables


def test_limits_over_http_are_documented() -> None:
    ranges = {name: span for kind in kinds.KINDS for name, span in spans(kind).items()}
    for name, (low, high) in ranges.items():
        row = re.search(rf"^\| `{name}`.*$", text_of(REFERENCE / "settings.md"), re.MULTILINE)
        assert row is not None, name
        assert f"{low:.9g} to {high:.9g}" in row.group(0), row.group(0)


def test_figures_of_benchmarks_are_those_that_were_measured() -> None:
    table = load(ROOT / "benchmarks" / "table.py")

    for name, text in table.tables().items():
        shown = table.BEGIN.format(name) + text + table.END
        assert shown in text_of(ROOT / "docs" / "benchmarks.md"), "run benchmarks/table.py"


def shown_commands(page: Path) -> list[list[str]]:
    """Words of every `sightline ...` line in the shell examples of a page."""
    out = []
    for block in re.findall(r"^```sh\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if "sightline" in words[:1]:
                out.append(words[1:])
    return out


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_in_examples_exist(page: Path) -> None:
    for name, *arguments in shown_commands(page):
        if name.startswith("--"):
            continue
        assert name in COMMANDS, f"{page.name} shows `sightline {name}`"
        params = COMMANDS[name].params
        known = {o for p in params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
        shown = {a for a in arguments if re.match(r"--?[a-z]", a)}
        assert shown <= known, f"{page.name}: sightline {name} {' '.join(arguments)}"


def test_tests_that_are_named_exist() -> None:
    named = [
        one
        for page in PAGES
        for one in re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text_of(page))
    ]
    assert len(named) > 50
    assert [(f, n) for f, n in named if f"def {n}(" not in text_of(ROOT / f)] == []


def test_nothing_names_one_machine() -> None:
    # Folders of some machine; a dot or a letter before the slash makes it another path.
    private = re.compile(r"(?<![\w.$}])/(?:root|home|work|Users)/")
    suffixes = {".md", ".py", ".toml", ".yml", ".yaml", ".json", ".html", ".js", ".css", ""}
    found = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in committed_files()
        if path.suffix in suffixes and path != Path(__file__)
        for match in [private.search(path.read_text(encoding="utf-8", errors="replace"))]
        if match
    ]

    assert found == []


def committed_files() -> list[Path]:
    """What a clone holds: everything except what starts with a dot or is a build product."""
    skip = {"__pycache__", "build", "dist", "world-workspace", "workspaces", "node_modules"}
    return [
        path
        for top in sorted(ROOT.iterdir())
        if (not top.name.startswith(".") or top.name == ".ci") and top.name not in skip
        for path in ([top] if top.is_file() else sorted(top.rglob("*")))
        if path.is_file() and not skip & set(path.parts)
    ]
