"""Prometheus and Grafana beside the service: their files ask for what the service counts."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from sightline.api import lanes, metrics  # noqa: F401  (lanes count, too)

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "monitoring"
#: The four golden signals, and what else a panel is about.
PANELS = ("Latency", "Traffic", "Errors", "Saturation", "Jobs", "Served")


@pytest.fixture
def compose() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "compose.yml").read_text())


def test_every_query_of_the_dashboard_is_about_something_that_is_counted() -> None:
    metrics.REQUESTS.labels("GET", "/", "200").observe(0.01)
    for counted in (metrics.WAITED, metrics.WORK, metrics.RUNNING):
        counted.labels("cheap")
    metrics.TURNED_AWAY.labels("cheap", "queue")
    metrics.CACHE.labels("yes")
    text = metrics.exposition({"snapshot": "s", "model": "m", "version": "v"}, {"done": 1}).decode()
    there = {
        name: set(re.findall(r'(\w+)="', labels or ""))
        for name, labels in re.findall(r"^(sightline_\w+)(\{[^}]*\})?", text, re.MULTILINE)
    }
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    titles = " ".join(panel["title"] for panel in dashboard["panels"])
    assert [name for name in PANELS if name not in titles] == []
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            asked = target["expr"] + target["legendFormat"]
            names = re.findall(r"sightline_\w+", target["expr"])
            assert names, asked
            assert set(names) <= set(there), asked
            known = set.union(*(there[name] for name in names))
            used = {
                label.strip()
                for group in re.findall(r"by \(([^)]*)\)", target["expr"])
                for label in group.split(",")
            }
            used |= set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            used |= set(re.findall(r"\{(\w+)[=~!]", target["expr"]))
            assert used <= known, asked


def test_the_files_fit_together(compose: dict[str, Any]) -> None:
    folder = files("check_jsonschema.builtin_schemas") / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(compose)
    scrape = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"][0]
    mounts = {}
    for service in ("prometheus", "grafana"):
        for volume in compose["services"][service]["volumes"]:
            source, target = volume.split(":")[:2]
            mounts[target] = source
            there = source.startswith("./") and not source.endswith("/token")  # made by the user
            assert not there or (ROOT / source).exists(), source
    assert scrape["authorization"]["credentials_file"] in mounts
    host = scrape["static_configs"][0]["targets"][0].partition(":")[0]
    assert compose["services"]["api"]["environment"]["SIGHTLINE_ALLOW_HOST"] == host
    dashboards = FOLDER / "provisioning" / "dashboards" / "sightline.yml"
    path = yaml.safe_load(dashboards.read_text())["providers"][0]["options"]["path"]
    assert any(target.startswith(f"{path}/") for target in mounts)
    sources = FOLDER / "provisioning" / "datasources" / "prometheus.yml"
    uid = yaml.safe_load(sources.read_text())["datasources"][0]["uid"]
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    assert {panel["datasource"]["uid"] for panel in panels} == {uid}
