"""Films, people who make them and people who watch them: made up, by chance with a seed.

    python examples/films/make.py FOLDER [--users 300] [--films 220] [--seed 0]

Nobody in it exists and no film does. A viewer has a liking for a few genres and directors, meets
films by how well known they are and how well they fit, and gives 1 to 5 stars by the fit and by
mood. So there is something to find, and it is known what. Knows the standard library alone.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
from pathlib import Path


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


GENRES = words(
    "comedy drama thriller western musical animation documentary horror romance adventure mystery "
    "war"
)
FIRST = words("Ada Bela Cleo Dario Edda Fenn Gala Hugo Iria Jonas Kaja Lior Mira Nils Olga Pau")
LAST = words("Arn Belling Corvo Dahl Esk Farro Grell Holm Ivers Jurado Kest Lund Moro Norr Oakes")
ADJECTIVES = words(
    "Quiet Broken Golden Last Hidden Paper Winter Silent Crooked Distant Burning Blue Borrowed "
    "Empty Second Wild"
)
NOUNS = words(
    "Harbour Letter Orchard Mirror Station Summer River Witness Garden Train Island Promise "
    "Lantern Border Piano Kingdom"
)
#: How much a favourite genre and a favourite director draw, and how much mood does.
GENRE, DIRECTOR, MOOD = 1.3, 1.6, 0.7


def make(folder: Path, users: int = 300, films: int = 220, seed: int = 0) -> None:
    """Write ``genres.csv``, ``directors.csv``, ``films.csv``, ``users.csv`` and ``ratings.csv``."""
    rng = random.Random(seed)
    names = [f"{first} {last}" for first in FIRST for last in LAST]
    directors = rng.sample(names, max(4, films // 6))
    titles = rng.sample([f"The {a} {n}" for a in ADJECTIVES for n in NOUNS], films)
    style = [rng.sample(range(len(GENRES)), 3) for _ in directors]
    made = []
    for title in titles:
        director = rng.randrange(len(directors))
        genres = rng.sample(style[director], rng.choice((1, 2, 2)))
        made.append((title, rng.randint(1960, 2024), director, genres, rng.gauss(0, 1)))
    rows = []
    for user in range(users):
        genres = set(rng.sample(range(len(GENRES)), 3))
        loved = set(rng.sample(range(len(directors)), 3))
        fit = [
            GENRE * len(genres.intersection(of)) / len(of) + DIRECTOR * (director in loved)
            for _, _, director, of, _ in made
        ]
        # Drawn without putting back, by weight (Efraimidis and Spirakis 2006).
        keys = [
            rng.random() ** (1 / math.exp(known + 1.2 * liked))
            for (*_, known), liked in zip(made, fit)
        ]
        seen = sorted(range(films), key=lambda f: -keys[f])[: rng.randint(8, 32)]
        for film in seen:
            stars = round(2.4 + fit[film] + rng.gauss(0, MOOD))
            rows.append((user, film, min(5, max(1, stars)), rng.randint(2015, 2025)))
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "genres.csv", "genre_id,name", ((f"g{i}", g) for i, g in enumerate(GENRES)))
    people = ((f"d{i}", name) for i, name in enumerate(directors))
    _write(folder / "directors.csv", "director_id,name", people)
    films_of = (
        (f"f{i}", title, year, f"d{director}", ";".join(f"g{g}" for g in sorted(genres)))
        for i, (title, year, director, genres, _) in enumerate(made)
    )
    _write(folder / "films.csv", "film_id,title,released,director,genres", films_of)
    _write(folder / "users.csv", "user_id,name", ((f"u{i}", f"Viewer {i}") for i in range(users)))
    given = ((f"u{user}", f"f{film}", stars, year) for user, film, stars, year in rows)
    _write(folder / "ratings.csv", "user_id,film_id,rating,year", given)


def _write(path: Path, header: str, rows: object) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(header.split(","))
        out.writerows(rows)  # type: ignore[arg-type]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write made-up films, viewers and ratings.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--films", type=int, default=220)
    parser.add_argument("--seed", type=int, default=0)
    make(**vars(parser.parse_args()))
