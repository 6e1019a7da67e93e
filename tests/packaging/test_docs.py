"""The documentation is complete and true where a program can tell."""

from __future__ import annotations

import dataclasses
import inspect
import re
import shlex
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from sightline.cli.main import app
from sightline.graph import errors, settings

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


def section(path: Path, title: str) -> str:
    """The text under the heading that contains ``title``, up to the next one of its level."""
    heading = re.compile(rf"^(#+) `{re.escape(title)}`$", re.MULTILINE)
    start = heading.search(text_of(path))
    assert start is not None, f"{path.name} has no heading `{title}`"
    rest = text_of(path)[start.end() :]
    end = re.search(rf"^#{{1,{len(start.group(1))}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_documented(name: str) -> None:
    about = section(REFERENCE / "cli.md", f"sightline {name}")

    assert COMMANDS[name].help
    for param in COMMANDS[name].params:
        long = [option for option in param.opts if option.startswith("--")]
        wanted = max(long, key=len) if long else (param.metavar or param.name.upper()).rstrip(".")
        assert wanted in about, f"`sightline {name}` has {wanted}, which cli.md leaves out"


def test_no_command_is_documented_that_does_not_exist() -> None:
    found = re.findall(r"^#+ `sightline (\w+)`$", text_of(REFERENCE / "cli.md"), re.MULTILINE)

    assert sorted(found) == sorted(COMMANDS)


@pytest.fixture(scope="module")
def openapi(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from sightline.api.app import create_app
    from sightline.graph.workspace import Workspace

    folder = tmp_path_factory.mktemp("ws")
    Workspace.create(folder)
    return create_app(folder).openapi()


def test_every_route_and_parameter_is_documented(openapi: dict[str, Any]) -> None:
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            about = section(REFERENCE / "http.md", f"{method.upper()} {path}")
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    wanted = f"`{parameter['name']}`"
                    assert wanted in about, f"{method} {path} takes {wanted}; http.md leaves it out"


def test_no_route_is_documented_that_does_not_exist(openapi: dict[str, Any]) -> None:
    routes = {f"{m.upper()} {path}" for path, ops in openapi["paths"].items() for m in ops}
    pages = {"GET /", "GET /docs", "GET /openapi.json"}
    found = re.findall(
        r"^#+ `((?:GET|POST|DELETE|PUT) \S+)`$", text_of(REFERENCE / "http.md"), re.MULTILINE
    )

    assert set(found) - pages == routes - pages


def test_every_setting_is_documented(tmp_path: Path) -> None:
    settings.write_template(tmp_path / "sightline.toml")
    template = tomllib.loads((tmp_path / "sightline.toml").read_text())
    keys = {*template, *template["graph"], *(f.name for f in dataclasses.fields(settings.Settings))}

    for key in keys:
        assert f"`{key}`" in text_of(REFERENCE / "settings.md"), key


def every_error() -> list[type[errors.SightlineError]]:
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    leaves = [
        c
        for c in classes
        if issubclass(c, errors.SightlineError) and "__init__" in vars(c) and c.__name__[0] != "_"
    ]
    return leaves + list(errors._Unknown.__subclasses__())


@pytest.mark.parametrize("error", every_error(), ids=lambda e: e.__name__)
def test_every_error_is_documented_with_its_codes(error: type[errors.SightlineError]) -> None:
    kind = error.__new__(error).kind
    row = re.search(rf"^\| `{kind}` \|.*$", text_of(REFERENCE / "errors.md"), re.MULTILINE)

    assert row is not None, f"errors.md has no row for `{kind}`"
    assert f"| {error.status} | {error.exit_code} |" in row.group(0)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if not re.match(r"\w+:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), f"{page.name}: {target}"


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
