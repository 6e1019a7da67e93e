"""Data as it is published, without a mapping, to answers: small files of our own in its formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sightline.cli.main import run

Ask = Callable[..., set[tuple[str, str, str]]]


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ask]:
    """Load and compile a folder of files; then head, relation and tail of what is related."""

    def made(files: dict[str, str], *options: str) -> Ask:
        folder, ws = tmp_path / "data", str(tmp_path / "ws")
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        sources = [str(folder / name) for name in files] if "--each" in options else [str(folder)]
        assert run(["ingest", *sources, "-w", ws]) == 0
        assert run(["compile", "-w", ws]) == 0

        def related(name: str, *more: str) -> set[tuple[str, str, str]]:
            capsys.readouterr()
            assert run(["related", name, "-w", ws, "--json", *more]) == 0, capsys.readouterr().err
            said = json.loads(capsys.readouterr().out)["related"]
            facts = [f for f in said if f["status"] != "predicted"]
            return {tuple(f[part]["label"] for part in ("head", "relation", "tail")) for f in facts}

        return related

    return made


GTFS = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\n"
    "VB,Valley Buses,http://vb.example,Europe/Zurich\n",
    "routes.txt": "route_id,agency_id,route_short_name,route_long_name,route_type\n"
    "r1,VB,1,Mill Line,3\nr2,VB,2,Lake Line,3\n",
    "trips.txt": "route_id,service_id,trip_id,trip_headsign\n"
    "r1,wk,t1,Lake\nr1,wk,t2,Mill\nr2,we,t3,Lake\n",
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon,parent_station\n"
    "s1,Mill,47.1,8.1,\ns2,Church,47.2,8.2,\ns3,Lake,47.3,8.3,\ns3a,Lake Pier,47.3,8.3,s3\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "t1,08:00:00,08:00:00,s1,1\nt1,08:07:00,08:08:00,s2,2\nt1,25:10:00,25:10:00,s3,3\n"
    "t2,09:00:00,09:00:00,s3,1\nt2,09:20:00,09:20:00,s1,2\nt3,10:00:00,10:00:00,s3,1\n",
    "calendar.txt": "service_id,monday,saturday,start_date,end_date\n"
    "wk,1,0,20240101,20241231\nwe,0,1,20240101,20241231\n",
    "LICENSE.txt": "Free to use by everybody, for what it is worth.\n",
}


def test_a_folder_of_gtfs_links_stops_trips_and_routes(ask: Callable[..., Ask]) -> None:
    related = ask(GTFS)
    lines = related("Mill Line")
    assert ("Mill Line", "agency", "Valley Buses") in lines
    trips = {head for head, relation, tail in lines if tail == "Mill Line" and relation == "route"}
    assert len(trips) == 2
    assert ("Lake Pier", "parent station", "Lake") in related("Lake Pier")
    stops = {(h, t) for h, _, t in related("entity:stop/s1") if "Mill" in (h, t)}
    assert len(stops) >= 2, "both trips stop there"


MOVIES = [
    *(("1", "Solaris (1972)", "Drama|Sci-Fi"), ("2", "Stalker (1979)", "Sci-Fi")),
    *(("3", "Mirror (1975)", "Drama"), ("4", "Ivan (1962)", "Drama|War")),
    *(("5", "Alien (1979)", "Horror|Sci-Fi"), ("6", "Come (1985)", "Drama|War")),
    *(("7", "Brazil (1985)", "Sci-Fi"), ("8", "Psycho (1960)", "Horror")),
]
RATINGS = [
    *(("1", "1", "5", "978300760"), ("1", "2", "3", "978302109"), ("2", "1", "4", "978301968")),
    *(("2", "5", "2", "978300275"), ("3", "8", "5", "978824291"), ("3", "7", "1", "978302268")),
]


def rows(separator: str, *records: tuple[str, ...]) -> str:
    return "".join(separator.join(record) + "\n" for record in records)


def test_movielens_with_headers_has_ratings_as_values_of_links(ask: Callable[..., Ask]) -> None:
    files = {
        "movies.csv": rows(",", ("movieId", "title", "genres"), *MOVIES),
        "ratings.csv": rows(",", ("userId", "movieId", "rating", "timestamp"), *RATINGS),
        "links.csv": "movieId,imdbId,tmdbId\n1,0069293,593\n2,0079944,1398\n",
    }
    related = ask(files)
    found = related("Solaris (1972)")
    assert {(h, t) for h, _, t in found if h in ("1", "2")} == {
        ("1", "Solaris (1972)"),
        ("2", "Solaris (1972)"),
    }
    genres = {tail for head, relation, tail in found if relation.startswith("genre")}
    assert genres == {"Drama", "Sci-Fi"}
    rated = related("Solaris (1972)", "--where", "rating>=5")
    assert {head for head, _, _ in rated} == {"1"}


def test_movielens_without_headers_has_films_genres_and_ratings(ask: Callable[..., Ask]) -> None:
    users = [(str(u), "FM"[u % 2], str(18 + u), str(u), f"{48060 + u}") for u in range(1, 7)]
    tables = {"movies.dat": MOVIES, "ratings.dat": RATINGS, "users.dat": users}
    related = ask({name: rows("::", *table) for name, table in tables.items()}, "--each")
    found = related("Solaris (1972)")
    assert {"Drama", "Sci-Fi"} <= {tail for _, _, tail in found}
    assert {head for head, _, tail in found if tail == "Solaris (1972)"} == {"user 1", "user 2"}
    rated = related("Solaris (1972)", "--where", "rating>=5")
    assert {head for head, _, _ in rated} == {"user 1"}
    assert ("user 1", "gender", "M") in related("entity:user/1")


@pytest.mark.parametrize("more", ["", ",timestamp"])
def test_users_films_and_ratings_alone_are_links_with_ratings(
    ask: Callable[..., Ask], more: str
) -> None:
    table = [(f"u{u}", film, r, *([t] if more else [])) for u, film, r, t in RATINGS]
    related = ask({"plain.csv": f"user,film,rating{more}\n" + rows(",", *table)}, "--each")
    assert {head for head, _, _ in related("entity:film/1")} == {"u1", "u2"}
    assert {head for head, _, _ in related("entity:film/1", "--where", "rating>=5")} == {"u1"}


IMDB = {
    "title.basics.tsv": rows(
        "\t",
        ("tconst", "titleType", "primaryTitle", "isAdult", "startYear", "endYear", "genres"),
        ("tt0000001", "movie", 'The "Long" Road', "0", "1999", "\\N", "Drama,War"),
        ("tt0000002", "short", "Rain", "0", "\\N", "\\N", "\\N"),
        ("tt0000003", "movie", "Snow", "0", "2001", "\\N", "Drama"),
        ("tt0000004", "movie", "Ice", "0", "2003", "\\N", "War"),
        ("tt0000005", "movie", "Mud", "0", "2004", "\\N", "Drama,War"),
        ("tt0000006", "tvSeries", "Dust", "0", "2005", "2009", "Drama"),
    ),
    "name.basics.tsv": rows(
        "\t",
        ("nconst", "primaryName", "birthYear", "deathYear", "knownForTitles"),
        ("nm0000001", "Ada Lind", "1950", "\\N", "tt0000001,tt0000002"),
        ("nm0000002", "Bo Berg", "\\N", "\\N", "tt0000003"),
        ("nm0000003", "Cy Dal", "1961", "\\N", "tt0000003,tt0000004,tt0000006"),
        ("nm0000004", "Di Ek", "1971", "2020", "tt0000005,tt0000001"),
    ),
    "title.principals.tsv": rows(
        "\t",
        ("tconst", "ordering", "nconst", "category"),
        ("tt0000001", "1", "nm0000001", "actor"),
        ("tt0000001", "2", "nm0000002", "director"),
        ("tt0000003", "1", "nm0000002", "actor"),
        ("tt0000005", "1", "nm0000004", "actor"),
    ),
    "title.ratings.tsv": rows(
        "\t",
        ("tconst", "averageRating", "numVotes"),
        ("tt0000001", "7.1", "120"),
        ("tt0000003", "6.5", "80"),
        ("tt0000004", "5.5", "9"),
        ("tt0000005", "8.0", "70"),
        ("tt0000006", "4.2", "12"),
    ),
}


def test_tables_of_imdb_link_people_and_titles(ask: Callable[..., Ask]) -> None:
    related = ask(IMDB)
    known = related("Ada Lind")
    titles = {tail for head, relation, tail in known if "known" in relation.lower()}
    assert titles == {'The "Long" Road', "Rain"}
    assert not [fact for fact in known if "\\N" in fact]
    people = {x for fact in related('The "Long" Road') for x in fact}
    assert {"Ada Lind", "Bo Berg", "Drama", "War"} <= people


NEO4J = {
    "crew.csv": 'crewId:ID(Crew),name,height:float,:LABEL\n7,"Ola Fisk",1.8,Sailor\n8,Bo,,Cook\n',
    "ships.csv": "shipId:ID(Ship),title,:LABEL\n7,Gannet,Barque\n",
    "served.csv": ":START_ID(Crew),year:int,:END_ID(Ship),:TYPE\n7,1912,7,SAILED_ON\n8,,7,OWNED\n",
}


def test_an_export_of_neo4j_answers_with_what_links_say(ask: Callable[..., Ask]) -> None:
    related = ask(NEO4J)
    assert related("Gannet") == {("Ola Fisk", "SAILED ON", "Gannet"), ("Bo", "OWNED", "Gannet")}
    assert related("Gannet", "--where", "year<=1912") == {("Ola Fisk", "SAILED ON", "Gannet")}


KGX = {
    "m_nodes.tsv": "id\tcategory\tname\nMONDO:0005\tbiolink:Disease\tlong cough\n"
    "HP:0001\tbiolink:PhenotypicFeature\tcough\nNCBIGene:12\tbiolink:Gene\tABC1\n",
    "m_edges.tsv": "subject\tpredicate\tobject\tpublications\n"
    "MONDO:0005\tbiolink:has_phenotype\tHP:0001\tPMID:1|PMID:2\n"
    "NCBIGene:12\tbiolink:causes\tMONDO:0005\t\n",
}
MONDO = """
@prefix o: <http://purl.obolibrary.org/obo/> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix s: <http://www.w3.org/2000/01/rdf-schema#> .
o:MONDO_0005 a owl:Class ; s:label "long cough" ; s:subClassOf o:MONDO_0001 .
o:MONDO_0001 a owl:Class ; s:label "disease" .
"""
SIGNS = {
    "nodes": [{"id": "HP:0001", "lbl": "cough", "type": "CLASS"}, {"id": "HP:0002", "lbl": "sign"}],
    "edges": [{"sub": "HP:0001", "pred": "is_a", "obj": "HP:0002"}],
}


def test_tables_of_kgx_and_ontologies_of_obo_are_about_the_same_things(
    ask: Callable[..., Ask],
) -> None:
    related = ask({**KGX, "mondo.ttl": MONDO, "hp.json": json.dumps({"graphs": [SIGNS]})})
    for name in ("MONDO:0005", "http://purl.obolibrary.org/obo/MONDO_0005", "long cough"):
        assert related(name) == {
            ("long cough", "has phenotype", "cough"),
            ("ABC1", "causes", "long cough"),
            ("long cough", "subClassOf", "disease"),
        }
    assert ("cough", "subClassOf", "sign") in related("HP:0001")
