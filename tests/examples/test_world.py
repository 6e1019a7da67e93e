"""The bundled example states what is known of the world, and loads without a loss.

The raw files are read here with the standard library and pyoxigraph, by names of their own, so that
this reading also checks the mapping.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyoxigraph as ox
import pytest

from sightline.cli.demo import read_by_eye, take_back, withheld_facts
from sightline.cli.main import run
from sightline.graph.extraction.extract import extract
from sightline.graph.paths.find import find_paths
from sightline.graph.reasoning.reason import reason
from sightline.graph.record.loads import active_loads, retract
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot, served_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from tests.graph.conftest import add_load, fact

WORLD = Path(__file__).parents[2] / "examples" / "world"
BASE = "urn:sightline:"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
RDFS_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
#: Table, column with the key, foreign keys with the relation that they mean.
TABLES = {
    "countries.csv": (
        "iso3",
        {
            "capital": "capital",
            "region": "in_region",
            "official_languages": "official_language",
            "currencies": "currency",
            "highest_point": "highest_point",
            "independent_from": "independent_from",
        },
    ),
    "cities.csv": ("key", {"country": "located_in", "lies_on": "lies_on"}),
    "languages.csv": ("key", {"family": "language_family"}),
    "currencies.csv": ("key", {}),
    "organisations.csv": ("key", {"headquarters": "headquarters"}),
    "mountains.csv": ("key", {"range": "in_range"}),
}
#: Array of the document, paths of its foreign keys with the relation that they mean.
ARRAYS = {
    "rivers": {("course", "countries"): "flows_through", ("course", "mouth"): "flows_into"},
    "lakes": {("shore", "countries"): "located_in"},
    "seas": {("coast", "countries"): "coast_of", ("part_of",): "part_of"},
    "ranges": {("extent", "countries"): "stretches_across"},
}
CLASSES = {
    "countries.csv": "Country",
    "cities.csv": "City",
    "languages.csv": "Language",
    "currencies.csv": "Currency",
    "organisations.csv": "Organisation",
    "mountains.csv": "Mountain",
    "rivers": "River",
    "lakes": "Lake",
    "seas": "Sea",
    "ranges": "MountainRange",
}
Fact = tuple[str, str, str]


@dataclass(frozen=True)
class World:
    """The raw files: names of entities as keys write them, facts as links between keys."""

    labels: dict[str, list[str]]
    classes: dict[str, str]
    relation_labels: dict[str, str]
    class_labels: dict[str, str]
    facts: list[Fact]

    def tails(self, head: str, relation: str) -> set[str]:
        return {t for h, r, t in self.facts if (h, r) == (head, relation)}

    def heads(self, relation: str, tail: str) -> set[str]:
        return {h for h, r, t in self.facts if (r, t) == (relation, tail)}

    def members(self, class_name: str) -> set[str]:
        return {key for key, name in self.classes.items() if name == class_name}

    @property
    def neighbours(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for head, relation, tail in self.facts:
            if relation == "borders":
                found[head].add(tail)
                found[tail].add(head)
        return found


def rows(name: str) -> list[dict[str, str]]:
    with (WORLD / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def document() -> dict[str, list[dict]]:
    return json.loads((WORLD / "geography.json").read_text(encoding="utf-8"))


def links() -> Iterator[Fact]:
    """Facts of the link table and of the triples."""
    for row in rows("memberships.csv"):
        yield row["member"], "member_of", row["organisation"]
    for line in (WORLD / "borders.tsv").read_text(encoding="utf-8").splitlines():
        head, relation, tail = line.split("\t")
        yield head, relation, tail


def field(record: dict, path: tuple[str, ...]) -> list[str]:
    """The values at a path of a JSON record."""
    value: object = record
    for name in path:
        value = value.get(name, []) if isinstance(value, dict) else []
    return value if isinstance(value, list) else [str(value)]


@pytest.fixture(scope="module")
def world() -> World:
    labels: dict[str, list[str]] = defaultdict(list)
    out = World(labels, {}, {}, {}, list(links()))
    for name, (key, keys) in TABLES.items():
        for row in rows(name):
            labels[row[key]].append(row["name"])
            out.classes[row[key]] = CLASSES[name]
            for column, relation in keys.items():
                out.facts.extend((row[key], relation, t) for t in row[column].split(";") if t)
    for name, records in document().items():
        for record in records:
            labels[record["id"]].append(record["name"])
            out.classes[record["id"]] = CLASSES[name]
            for path, relation in ARRAYS[name].items():
                out.facts.extend((record["id"], relation, t) for t in field(record, path))
    for quad in ox.parse((WORLD / "world.ttl").read_bytes(), format=ox.RdfFormat.TURTLE):
        add_quad(out, quad.subject.value, quad.predicate.value, quad.object.value)
    return out


def add_quad(world: World, subject: str, predicate: str, value: str) -> None:
    kind, name = subject.removeprefix(BASE).split(":")
    if predicate == RDFS_LABEL and kind == "entity":
        world.labels[name].append(value)
    elif predicate == RDFS_LABEL:
        table = {"relation": world.relation_labels, "class": world.class_labels}.get(kind, {})
        table[name] = value
    elif predicate == RDF_TYPE and kind == "entity":
        world.classes[name] = value.removeprefix(BASE + "class:")
    elif predicate.startswith(BASE + "relation:"):
        relation = predicate.removeprefix(BASE + "relation:")
        world.facts.append((name, relation, value.removeprefix(BASE + "entity:")))


def test_every_fact_is_stored_once(world: World) -> None:
    assert [fact for fact, count in Counter(world.facts).items() if count > 1] == []
    assert len(world.facts) >= 2500


def test_no_relation_is_another_read_backwards(world: World) -> None:
    sizes = Counter(relation for _, relation, _ in world.facts)
    forwards = defaultdict(set)
    for head, relation, tail in world.facts:
        forwards[head, tail].add(relation)
    both = Counter(
        (relation, other) for head, relation, tail in world.facts for other in forwards[tail, head]
    )

    # Countries became independent from neighbours, so a few such pairs are no inverses.
    assert {pair for pair, count in both.items() if count > sizes[pair[0]] / 4} == set()


def test_every_key_leads_to_an_entity_with_one_label_and_a_class(world: World) -> None:
    named = {key for head, _, tail in world.facts for key in (head, tail)}

    assert named - world.labels.keys() == set()
    assert {key for key, labels in world.labels.items() if len(labels) != 1} == set()
    assert world.labels.keys() == world.classes.keys()
    assert all(label == label.strip() != "" for [label] in world.labels.values())


def test_every_entity_takes_part_in_a_fact(world: World) -> None:
    linked = {key for head, _, tail in world.facts for key in (head, tail)}

    assert world.labels.keys() - linked == set()


def test_no_two_entities_share_a_label(world: World) -> None:
    shared = Counter(label.casefold() for [label] in world.labels.values())

    assert [label for label, count in shared.items() if count > 1] == []


def test_relations_and_classes_have_labels(world: World) -> None:
    assert {relation for _, relation, _ in world.facts} == world.relation_labels.keys()
    assert set(world.classes.values()) == world.class_labels.keys()
    assert world.relation_labels["member_of"] == "member of"


def test_records_of_a_document_hold_no_other_fields() -> None:
    known = {"id", "name", "also", "length_km", "area_km2"}
    for name, records in document().items():
        nested = {path[0] for path in ARRAYS[name]}
        assert {field for record in records for field in record} <= known | nested


def test_every_country_has_one_capital_and_region_and_a_currency(world: World) -> None:
    countries = world.members("Country")

    assert len(countries) == 195
    for country in countries:
        [capital] = world.tails(country, "capital")
        [region] = world.tails(country, "in_region")
        assert world.classes[capital] == "City"
        assert world.classes[region] == "Region"
        assert world.tails(country, "currency"), country
        assert world.tails(country, "official_language"), country


def test_every_city_is_a_capital_or_in_one_country_and_never_both(world: World) -> None:
    for city in world.members("City"):
        assert len(world.heads("capital", city)) + len(world.tails(city, "located_in")) == 1, city


def test_regions_lead_to_a_continent(world: World) -> None:
    assert {world.labels[key][0] for key in world.members("Continent")} == {
        *("Africa", "Americas", "Asia", "Europe", "Oceania")
    }
    for region in world.members("Region"):
        while world.classes[region] == "Region":
            [region] = world.tails(region, "part_of")
        assert world.classes[region] == "Continent"


@pytest.mark.parametrize(
    ("relation", "head_class", "tail_class"),
    [
        ("borders", "Country", "Country"),
        ("currency", "Country", "Currency"),
        ("flows_through", "River", "Country"),
        ("coast_of", "Sea", "Country"),
        ("highest_point", "Country", "Mountain"),
        ("in_range", "Mountain", "MountainRange"),
        ("independent_from", "Country", "Country"),
        ("language_family", "Language", "LanguageFamily"),
        ("official_language", "Country", "Language"),
        ("stretches_across", "MountainRange", "Country"),
        ("headquarters", "Organisation", "City"),
    ],
)
def test_relations_link_the_classes_they_are_meant_for(
    world: World, relation: str, head_class: str, tail_class: str
) -> None:
    found = {(world.classes[h], world.classes[t]) for h, r, t in world.facts if r == relation}

    assert found == {(head_class, tail_class)}


def test_borders_are_stored_once_in_one_direction(world: World) -> None:
    pairs = [(head, tail) for head, relation, tail in world.facts if relation == "borders"]

    assert all(head < tail for head, tail in pairs)
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize(
    ("country", "neighbours"),
    [
        ("CHN", "AFG BTN IND KAZ KGZ LAO MMR MNG NPL PAK PRK RUS TJK VNM"),
        ("RUS", "AZE BLR CHN EST FIN GEO KAZ LTU LVA MNG NOR POL PRK UKR"),
        ("BRA", "ARG BOL COL FRA GUY PER PRY SUR URY VEN"),
        ("FRA", "AND BEL BRA CHE DEU ESP ITA LUX MCO SUR"),
        ("DEU", "AUT BEL CHE CZE DNK FRA LUX NLD POL"),
        ("COD", "AGO BDI CAF COG RWA SSD TZA UGA ZMB"),
        ("AUT", "CHE CZE DEU HUN ITA LIE SVK SVN"),
        ("TUR", "ARM AZE BGR GEO GRC IRN IRQ SYR"),
        ("TZA", "BDI COD KEN MOZ MWI RWA UGA ZMB"),
        ("ZMB", "AGO BWA COD MOZ MWI NAM TZA ZWE"),
        ("CHE", "AUT DEU FRA ITA LIE"),
        ("KEN", "ETH SOM SSD TZA UGA"),
        ("USA", "CAN MEX"),
        ("GBR", "IRL"),
        ("LSO", "ZAF"),
        ("JPN", ""),
    ],
)
def test_neighbours_are_those_on_the_map(world: World, country: str, neighbours: str) -> None:
    assert world.neighbours.get(country, set()) == set(neighbours.split())


def test_two_countries_have_only_landlocked_neighbours(world: World) -> None:
    """Every coast and many borders must be right for these to be the only ones."""
    countries = world.members("Country")
    coastal = {tail for _, relation, tail in world.facts if relation == "coast_of"}
    landlocked = countries - coastal

    # 42 members of the United Nations, the Holy See, and no others.
    assert len(landlocked) == 44
    double = {c for c in landlocked if world.neighbours[c] and world.neighbours[c] <= landlocked}
    assert double == {"LIE", "UZB"}


def test_islands_have_no_neighbours(world: World) -> None:
    alone = world.members("Country") - world.neighbours.keys()

    assert {"AUS", "CUB", "CYP", "ISL", "JPN", "LKA", "MDG", "MLT", "NZL", "PHL", "SGP"} <= alone
    assert len(alone) == 39


@pytest.mark.parametrize(
    ("organisation", "count"),
    [
        ("un", 193),
        ("eu", 27),
        ("nato", 32),
        ("african_union", 54),  # and the Sahrawi Republic, which is no country of the list
        ("asean", 11),
        ("opec", 12),
        ("oecd", 38),
        ("g7", 7),
        ("g20", 21),  # 19 countries and two unions
        ("commonwealth", 56),
        ("arab_league", 22),
        ("mercosur", 6),
        ("schengen_area", 29),
        ("brics", 10),
        ("caricom", 14),  # and Montserrat
        ("nordic_council", 5),
        ("ecowas", 12),
        ("sadc", 16),
        ("east_african_community", 8),
        ("gulf_cooperation_council", 6),
        ("saarc", 8),
        ("efta", 4),
        ("council_of_europe", 46),
        ("shanghai_cooperation_organisation", 10),
        ("eurasian_economic_union", 5),
        ("pacific_islands_forum", 14),  # and four that are in free association or dependent
        ("apec", 19),  # and Hong Kong and Chinese Taipei
        ("andean_community", 4),
        ("visegrad_group", 4),
        ("benelux", 3),
        ("cplp", 9),
        ("oic", 57),
        ("organization_of_turkic_states", 5),
        ("alliance_of_sahel_states", 3),
    ],
)
def test_organisations_have_as_many_members_as_known(
    world: World, organisation: str, count: int
) -> None:
    assert len(world.heads("member_of", organisation)) == count


def test_memberships_follow_from_each_other(world: World) -> None:
    def members(organisation: str) -> set[str]:
        return world.heads("member_of", organisation)

    countries = world.members("Country")
    assert countries - members("un") == {"VAT", "PSE"}
    assert members("eu") - members("schengen_area") == {"IRL", "CYP"}
    assert members("schengen_area") - members("eu") == members("efta")
    assert members("eu") - members("nato") == {"AUT", "CYP", "IRL", "MLT"}
    assert members("eu") < members("council_of_europe")
    assert members("g7") < members("oecd")
    assert members("g7") < members("g20")
    assert members("g20") - countries == {"eu", "african_union"}
    assert members("ecowas") < members("african_union")
    assert not members("ecowas") & members("alliance_of_sahel_states")
    assert members("gulf_cooperation_council") < members("arab_league")


def test_currency_unions_have_as_many_countries_as_known(world: World) -> None:
    euro = world.heads("currency", "euro")

    assert len(euro & world.heads("member_of", "eu")) == 20
    assert euro - world.heads("member_of", "eu") == {"AND", "MCO", "MNE", "SMR", "VAT"}
    assert len(world.heads("currency", "west_african_cfa_franc")) == 8
    assert len(world.heads("currency", "central_african_cfa_franc")) == 6
    assert len(world.heads("currency", "east_caribbean_dollar")) == 6


def test_africa_is_the_african_union(world: World) -> None:
    africa = {
        country
        for region in ("northern", "eastern", "middle", "southern", "western")
        for country in world.heads("in_region", f"{region}_africa")
    }

    assert africa == world.heads("member_of", "african_union")


@pytest.mark.parametrize(
    ("region", "count"),
    [
        *(("northern_africa", 6), ("eastern_africa", 18), ("middle_africa", 9)),
        *(("southern_africa", 5), ("western_africa", 16), ("northern_america", 2)),
        *(("caribbean", 13), ("central_america", 8), ("south_america", 12)),
        *(("central_asia", 5), ("eastern_asia", 5), ("south_eastern_asia", 11)),
        *(("southern_asia", 9), ("western_asia", 18), ("eastern_europe", 10)),
        *(("northern_europe", 10), ("southern_europe", 15), ("western_europe", 9)),
        *(("australia_and_new_zealand", 2), ("melanesia", 4), ("micronesia", 5), ("polynesia", 3)),
    ],
)
def test_regions_have_as_many_countries_as_known(world: World, region: str, count: int) -> None:
    assert len(world.heads("in_region", region)) == count


def test_admission_to_the_united_nations_has_the_known_course() -> None:
    years = Counter(row["un_admission"] for row in rows("countries.csv"))

    # Of 51 original members two are gone: Czechoslovakia and Yugoslavia.
    assert years["1945"] == 49
    # Seventeen joined in 1960; Mali, Senegal, Congo, Cyprus and Nigeria among them.
    assert years["1960"] == 17
    assert years["1955"] == 16
    assert years[""] == 2
    by_code = {row["iso3"]: row["un_admission"] for row in rows("countries.csv")}
    assert (by_code["CHE"], by_code["MNE"], by_code["SSD"]) == ("2002", "2006", "2011")


def test_codes_are_unique_and_well_formed() -> None:
    countries = rows("countries.csv")
    for column, length in (("iso3", 3), ("iso2", 2)):
        codes = [row[column] for row in countries]
        assert len(set(codes)) == len(codes)
        assert all(len(code) == length and code.isalpha() and code.isupper() for code in codes)
    currencies = [row["iso_4217"] for row in rows("currencies.csv")]
    assert len(set(currencies)) == len(currencies)
    languages = [row["iso639_3"] for row in rows("languages.csv") if row["iso639_3"]]
    assert len(set(languages)) == len(languages)


def test_population_adds_up_to_the_world() -> None:
    total = sum(int(row["population"] or 0) for row in rows("countries.csv"))

    # 8.16 billion in 2024, less the territories that are not in the list.
    assert 8.05e9 < total < 8.2e9


def test_area_adds_up_to_the_land_of_the_earth() -> None:
    total = sum(float(row["area_km2"] or 0) for row in rows("countries.csv"))

    # 149 million, less Antarctica, Greenland and the two Sudans, whose areas sources dispute.
    assert 128e6 < total < 135e6


@pytest.mark.parametrize(
    "fact",
    [
        ("CHE", "capital", "bern"),
        ("KEN", "capital", "nairobi"),
        ("ZAF", "official_language", "venda"),
        ("CHE", "official_language", "romansh"),
        ("HRV", "currency", "euro"),
        ("LIE", "currency", "swiss_franc"),
        ("NPL", "highest_point", "mount_everest"),
        ("TZA", "highest_point", "kilimanjaro"),
        ("danube", "flows_into", "black_sea"),
        ("inn", "flows_into", "danube"),
        ("vienna", "lies_on", "danube"),
        ("mekong", "flows_through", "VNM"),
        ("lake_titicaca", "located_in", "BOL"),
        ("adriatic_sea", "coast_of", "BIH"),
        ("andes", "stretches_across", "CHL"),
        ("nato", "headquarters", "brussels"),
        ("TLS", "member_of", "asean"),
        ("NAM", "independent_from", "ZAF"),
    ],
)
def test_known_facts_are_there(world: World, fact: Fact) -> None:
    assert fact in world.facts


def test_the_danube_flows_through_ten_countries(world: World) -> None:
    countries = "DEU AUT SVK HUN HRV SRB BGR ROU MDA UKR"

    assert world.tails("danube", "flows_through") == set(countries.split())


def test_every_river_with_several_countries_runs_through_neighbours(world: World) -> None:
    """A river cannot jump: its countries are linked by borders."""
    for river in world.members("River"):
        countries = world.tails(river, "flows_through")
        reached = {min(countries)}
        while more := {n for c in reached for n in world.neighbours[c]} & countries - reached:
            reached |= more
        assert reached == countries, river


def countries_at(world: World, water: str) -> set[str]:
    """The countries that a river, lake or sea touches."""
    found = {"flows_through", "located_in", "coast_of"}
    return {tail for head, relation, tail in world.facts if head == water and relation in found}


def test_every_river_meets_its_mouth_in_a_country_of_both(world: World) -> None:
    for head, relation, tail in world.facts:
        if relation == "flows_into":
            assert countries_at(world, head) & countries_at(world, tail), (head, tail)


def test_every_city_lies_on_a_water_of_its_country(world: World) -> None:
    for city, relation, water in world.facts:
        if relation == "lies_on":
            country = world.tails(city, "located_in") | world.heads("capital", city)
            assert country <= countries_at(world, water), (city, water)


def test_every_highest_point_is_in_a_range_of_its_country(world: World) -> None:
    for country, relation, mountain in world.facts:
        if relation == "highest_point":
            for mountains in world.tails(mountain, "in_range"):
                assert country in world.tails(mountains, "stretches_across"), mountain


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The example, loaded strictly and compiled."""
    folder = str(tmp_path_factory.mktemp("world") / "ws")
    mapping = str(WORLD / "mapping.yaml")
    assert run(["ingest", str(WORLD), "--mapping", mapping, "--strict", "-w", folder]) == 0
    assert run(["compile", "-w", folder]) == 0
    return served_snapshot(Workspace.open(folder))


def test_every_record_is_loaded(snapshot: Snapshot) -> None:
    loads = active_loads(Workspace.open(snapshot.folder.parents[1]))

    assert Counter(load.role for load in loads) == {"facts": 10, "text": 50}
    assert {(load.counts.rejected, load.counts.duplicate) for load in loads} == {(0, 0)}


def test_what_the_texts_add_was_read_by_eye_and_is_right_as_often_as_is_said(
    world: World, snapshot: Snapshot, tmp_path: Path
) -> None:
    ws = Workspace.open(shutil.copytree(snapshot.folder.parents[1], tmp_path / "ws"))
    withheld = withheld_facts(WORLD)
    take_back(ws, WORLD, withheld)
    reason(ws)
    load = extract(ws)
    statements = pl.read_parquet(load.statements).sort("row")
    terms = statements.select("subject", "predicate", "object").iter_rows()
    found = {tuple(term.rpartition(":")[2] for term in terms_of_one) for terms_of_one in terms}
    read = read_by_eye(WORLD)
    # Facts that nobody has read say nothing of how many are right: read them, and list them.
    assert found == read.keys()
    assert len(found) >= 120
    assert not found & (set(world.facts) - reversed_too(withheld))
    assert len(found & set(withheld)) >= 5
    assert sum(read.values()) >= 0.95 * len(read)
    said = (WORLD / "README.md").read_text(encoding="utf-8")
    assert f"{sum(read.values())} of the {len(read)}" in said.replace("\n", " ")


def test_what_the_demo_withholds_is_true_and_in_no_graph_until_its_load_is_retracted(
    world: World, snapshot: Snapshot, tmp_path: Path
) -> None:
    withheld = withheld_facts(WORLD)
    assert len(set(withheld)) == len(withheld) >= 10
    assert set(withheld) < set(world.facts)
    assert len({relation for _, relation, _ in withheld}) >= 8
    ws = Workspace.open(shutil.copytree(snapshot.folder.parents[1], tmp_path / "ws"))
    for _ in range(2):
        take_back(ws, WORLD, withheld)
    inferred = reason(ws)
    left = compile_snapshot(ws, rdf=False)
    reverses = {(t, r, h) for h, r, t in world.facts if r == "borders"}
    told = named_edges(left)
    assert told == (set(world.facts) | reverses) - reversed_too(withheld)
    assert inferred.counts.statements == len(told) - len(world.facts) + len(withheld)
    [load] = [load for load in active_loads(ws) if load.role == "retractions"]
    retract(ws, load.id)
    assert named_edges(compile_snapshot(ws, rdf=False)) == set(world.facts) | reverses


def reversed_too(facts: Iterable[Fact]) -> set[Fact]:
    return {*facts, *((t, r, h) for h, r, t in facts if r == "borders")}


def test_switzerland_and_the_danube_keep_their_paths_when_borders_are_read_both_ways(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    ws = Workspace.open(shutil.copytree(snapshot.folder.parents[1], tmp_path / "ws"))
    reason(ws)
    told = []
    for graph in (snapshot, compile_snapshot(ws, rdf=False)):
        ends = graph.resolve_entity("Switzerland"), graph.resolve_entity("Danube")
        answer = find_paths(graph, *ends, max_hops=3, k=100)
        told.append([(path.entities, path.rels, path.score) for path in answer.paths])
        assert answer.found == 66
    assert told[0] == told[1]
    assert told[0][0][2] == pytest.approx(0.1473, abs=5e-5)


def named_edges(snapshot: Snapshot) -> set[Fact]:
    return set(named_edges_in_order(snapshot))


def named_edges_in_order(snapshot: Snapshot) -> Iterator[Fact]:
    names = [iri.removeprefix(BASE + "entity:") for iri in snapshot.entity_iris]
    relations = [iri.removeprefix(BASE + "relation:") for iri in snapshot.relation_iris]
    for h, r, t in snapshot.triples().tolist():
        yield names[h], relations[r], names[t]


def test_edges_are_the_facts_of_the_files(world: World, snapshot: Snapshot) -> None:
    names = [iri.removeprefix(BASE + "entity:") for iri in snapshot.entity_iris]
    relations = [iri.removeprefix(BASE + "relation:") for iri in snapshot.relation_iris]

    assert named_edges(snapshot) == set(world.facts)
    assert dict(zip(names, snapshot.entity_labels)) == {k: v for k, [v] in world.labels.items()}
    assert dict(zip(relations, snapshot.relation_labels)) == world.relation_labels


def test_entities_have_the_class_of_their_file(world: World, snapshot: Snapshot) -> None:
    for entity, iri in enumerate(snapshot.entity_iris):
        [class_id] = snapshot.types_of(entity)
        name = world.classes[iri.removeprefix(BASE + "entity:")]
        assert snapshot.class_labels[int(class_id)] == world.class_labels[name]


def test_labels_name_one_entity(world: World, snapshot: Snapshot) -> None:
    for key, [label] in world.labels.items():
        assert snapshot.entity_iris[snapshot.resolve_entity(label)] == f"{BASE}entity:{key}"
    assert snapshot.relation_labels[snapshot.resolve_relation("member of")] == "member of"


def test_other_names_and_codes_are_found(snapshot: Snapshot) -> None:
    for other, label in [
        ("Ivory Coast", "Côte d'Ivoire"),
        ("Donau", "Danube"),
        ("Burma", "Myanmar"),
        ("NATO", "North Atlantic Treaty Organization"),
        ("USA", "United States"),
        ("Bodensee", "Lake Constance"),
    ]:
        assert snapshot.entity_labels[snapshot.resolve_entity(other)] == label


def test_planted_errors_lead_the_list_of_the_doctor(snapshot: Snapshot, tmp_path: Path) -> None:
    ws = Workspace.open(shutil.copytree(snapshot.folder.parents[1], tmp_path / "ws"))
    planted = {
        ("KEN", "capital", "oslo"),
        ("PER", "borders", "PER"),
        ("bern", "member_of", "african_union"),
        ("danube", "flows_through", "BRA"),
        ("ISL", "currency", "kenyan_shilling"),
    }
    add_load(ws, [fact(triple) for triple in sorted(planted)], name="wrong")
    compile_snapshot(ws, rdf=False)
    found = Sightline.open(ws).checkup.suspects(float("inf"))[0]
    graph = served_snapshot(ws)
    facts = list(named_edges_in_order(graph))
    blamed = [facts[suspect.wrong[0]] for suspect in found if suspect.wrong]

    assert {*blamed[:3]} == {
        ("KEN", "capital", "oslo"),
        ("PER", "borders", "PER"),
        ("bern", "member_of", "african_union"),
    }
    assert planted <= {*blamed[:20]}
