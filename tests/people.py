"""The raw files that `sightline run` learns from in tests: people, companies, cities.

People work at companies in cities, and live in the city of their company. A few live-in facts are
left out, so that there is something to find.
"""

from __future__ import annotations

from pathlib import Path

MISSING = range(0, 120, 13)
MAPPING = """
mappings:
  people:
    sources: [people.csv~csv]
    s: entity:$(id)
    po:
      - [a, class:Person]
      - [rdfs:label, $(name)]
      - [property:born, $(born), xsd:integer]
      - [relation:works_at, entity:$(company)~iri]
      - [relation:lives_in, entity:$(city)~iri]
  companies:
    sources: [companies.csv~csv]
    s: entity:$(id)
    po:
      - [a, class:Company]
      - [rdfs:label, $(name)]
      - [relation:located_in, entity:$(city)~iri]
"""


def sources(folder: Path) -> list[str]:
    """Two tables and a mapping in ``folder``, as arguments. Company ``c`` is in city ``c % 4``."""
    people = ["id,name,born,company,city"]
    for i in range(120):
        company = i % 12
        city = "" if i in MISSING else f"city{company % 4}"
        people.append(f"p{i},Person {i},{1950 + i % 50},company{company},{city}")
    people += ["p120,Person 120,not a year,company1,city1"]
    companies = ["id,name,city", *(f"company{c},Company {c},city{c % 4}" for c in range(12))]
    for name, text in {
        "people.csv": "\n".join(people) + "\n",
        "companies.csv": "\n".join(companies) + "\n",
        "map.yaml": MAPPING,
    }.items():
        (folder / name).write_text(text)
    files = [str(folder / name) for name in ("people.csv", "companies.csv")]
    return [*files, "--mapping", str(folder / "map.yaml")]
