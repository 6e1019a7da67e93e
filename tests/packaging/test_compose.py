"""The deployment files say what the documentation promises. No Docker engine is needed, or used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICES = ("api", "jobs", "worker", "worker-gpu")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def stages() -> dict[str, str]:
    """Name of a Dockerfile stage to its instructions, those of the stages it builds on first."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for block in re.split(r"^(?=FROM )", text, flags=re.MULTILINE)[1:]:
        base, name = re.match(r"FROM (\S+) AS (\S+)", block).groups()  # type: ignore[union-attr]
        found[name] = found.get(base, "") + block
    return found


def copied_environment(stages: dict[str, str], target: str) -> str:
    """Instructions of the stage whose environment ends up in the image ``target``."""
    source = re.search(r"COPY --from=(\S+) /opt/sightline", stages[target])
    assert source is not None
    return stages[source.group(1)]


def test_the_file_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    folder = files("check_jsonschema.builtin_schemas") / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)

    assert [error.message for error in validator.iter_errors(compose)] == []


def test_the_schema_notices_a_misspelt_key(compose: dict[str, Any]) -> None:
    folder = files("check_jsonschema.builtin_schemas") / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text(encoding="utf-8"))
    wrong = {**compose, "services": {"api": {**compose["services"]["api"], "comand": []}}}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_every_service_builds_a_stage_of_the_dockerfile(
    compose: dict[str, Any], stages: dict[str, str]
) -> None:
    assert set(compose["services"]) == set(SERVICES)
    for service in compose["services"].values():
        assert service["build"]["target"] in stages


def test_the_api_image_has_no_torch(compose: dict[str, Any], stages: dict[str, str]) -> None:
    assert compose["services"]["api"]["build"]["target"] == "api"
    assert "pip install '.'" in copied_environment(stages, "api")
    assert "train" not in copied_environment(stages, "api")


def test_images_install_what_make_installs(stages: dict[str, str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert "pip install --editable '.[train]'" in makefile
    assert "pip install '.[train]'" in copied_environment(stages, "worker")
    assert "train" in project["optional-dependencies"]


def test_the_build_gets_every_component() -> None:
    given = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    packages = build["build"]["targets"]["wheel"]["packages"]

    assert {f"!{package.partition('/')[0]}" for package in packages} <= set(given)


def test_all_services_share_the_one_workspace_volume(compose: dict[str, Any]) -> None:
    assert list(compose["volumes"]) == ["workspace"]
    for name in SERVICES:
        assert "workspace:/workspace" in compose["services"][name]["volumes"]


def test_sources_are_mounted_read_only(compose: dict[str, Any]) -> None:
    for name in ("worker", "worker-gpu"):
        mounts = compose["services"][name]["volumes"]
        assert [m for m in mounts if ":/data" in m] == ["${SIGHTLINE_SOURCES:-./data}:/data:ro"]


def test_jobs_are_done_where_there_is_torch(
    compose: dict[str, Any], stages: dict[str, str]
) -> None:
    assert "--no-worker" in compose["services"]["api"]["command"]
    jobs = compose["services"]["jobs"]
    assert jobs["command"][0] == "work"
    assert jobs["restart"] == "unless-stopped"
    assert ".[train]" in copied_environment(stages, jobs["build"]["target"])


def test_what_answers_and_what_does_jobs_start_by_themselves(compose: dict[str, Any]) -> None:
    profiles = {name: compose["services"][name].get("profiles") for name in SERVICES}

    assert profiles == {"api": None, "jobs": None, "worker": ["worker"], "worker-gpu": ["gpu"]}


def test_the_gpu_profile_reserves_a_gpu_and_demands_it(compose: dict[str, Any]) -> None:
    service = compose["services"]["worker-gpu"]
    devices = service["deploy"]["resources"]["reservations"]["devices"]

    assert devices == [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]
    assert service["command"][-2:] == ["--device", "cuda"]


def test_services_are_confined(compose: dict[str, Any], stages: dict[str, str]) -> None:
    for name in SERVICES:
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
        assert re.search(r"^USER sightline$", stages[service["build"]["target"]], re.MULTILINE)
        # With a read-only root the compiled kernels need a place that can be written.
        assert "/tmp" in service["tmpfs"]
        assert "NUMBA_CACHE_DIR=/tmp/" in stages[service["build"]["target"]]


def test_a_container_takes_the_compiled_kernels_to_where_it_can_write(
    stages: dict[str, str], tmp_path: Path
) -> None:
    found = re.search(r"^ENTRYPOINT (.+)$", stages["runtime"], re.MULTILINE)
    assert found is not None
    entry = json.loads(found.group(1))
    image, scratch, programs = (tmp_path / name for name in ("image", "tmp", "bin"))
    for folder in (image / "numba", scratch, programs):
        folder.mkdir(parents=True)
    (image / "numba" / "kernel").write_text("compiled")
    (programs / "sightline").write_text('#!/bin/sh\necho "$#:$*"\n')
    (programs / "sightline").chmod(0o755)
    entry[2] = entry[2].replace(" /tmp/", f" {scratch}/").replace("/opt/sightline", str(image))
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    shown = subprocess.check_output([*entry, "serve", "-w", "a b"], env=environment, text=True)
    assert shown == "3:serve -w a b\n"
    assert (scratch / "numba" / "kernel").read_text() == "compiled"


def test_image_and_compose_check_health_in_the_same_way(
    compose: dict[str, Any], stages: dict[str, str]
) -> None:
    check = compose["services"]["api"]["healthcheck"]["test"]
    in_image = re.search(r"HEALTHCHECK .*\\\n +CMD (\[.*\])", stages["api"])

    assert in_image is not None
    assert json.loads(in_image.group(1)) == check[1:]
    compile(check[-1], "healthcheck", "exec")


def test_the_commands_of_the_services_exist(compose: dict[str, Any]) -> None:
    import typer.main

    from sightline.cli.main import app

    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for service in compose["services"].values():
        name, *arguments = service["command"]
        known = {o for param in commands[name].params for o in (*param.opts, *param.secondary_opts)}
        assert {a for a in arguments if a.startswith("-")} <= known


def test_all_that_is_built_goes_to_the_build() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    built = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert {f"!{name.partition('/')[0]}" for name in built} <= set(let_through)
