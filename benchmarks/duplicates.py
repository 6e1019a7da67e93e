"""Planted duplicates with their truth: people with typos, swapped names and moved addresses, and
products whose offers are written differently, papers, genes, firms and places. What makes them hard
is planted too: families at one address, variants of one product, parts of one work.

Knows how to write two CSV files and the pairs that are one; knows nothing of Sightline.
"""

from __future__ import annotations

import csv
import random
import string
from collections.abc import Callable, Mapping
from pathlib import Path

#: Entity of one file, entity of the other: the pairs that are one.
Truth = set[tuple[str, str]]
Record = dict[str, str]

_ONSETS = [
    "b",
    "br",
    "c",
    "ch",
    "d",
    "f",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "w",
]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "io"]
_CODAS = ["n", "r", "l", "s", "m", "nd", "rt", "ck", "th"] + [""] * 4


def _word(rng: random.Random, syllables: int) -> str:
    return "".join(
        rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(syllables)
    ).capitalize()


def _words(rng: random.Random, count: int, syllables: int) -> Callable[[], str]:
    """Draws words, some much more often than others, as names are."""
    words = list({_word(rng, syllables): None for _ in range(count)})
    weights = [1 / (i + 5) for i in range(len(words))]
    return lambda: rng.choices(words, weights)[0]


def _typo(rng: random.Random, text: str) -> str:
    if len(text) < 3:
        return text
    i, letter = rng.randrange(len(text) - 1), rng.choice(string.ascii_lowercase)
    return rng.choice(
        [
            text[:i] + text[i + 1 :],
            text[:i] + letter + text[i:],
            text[:i] + letter + text[i + 1 :],
            text[:i] + text[i + 1] + text[i] + text[i + 2 :],
        ]
    )


def people(rng: random.Random, count: int) -> tuple[list[Record], Callable[[Record], Record]]:
    """Distinct people, a third of them in families at one address; and what writes one again."""
    given, family = _words(rng, 400, 2), _words(rng, 1500, 2)
    street, city = _words(rng, 800, 2), _words(rng, 60, 2)

    def address() -> Record:
        town = city()
        number = f"{rng.randrange(1, 200)} {street()} {rng.choice(['St', 'Rd', 'Ave'])}"
        code = f"{sum(map(ord, town)) % 90 + 10}{rng.randrange(1000):03d}"
        return {"street": number, "city": town, "postcode": code}

    def contact(record: Record) -> Record:
        host = rng.choice(["mail", "post", "inbox"])
        name = f"{record['given']}.{record['family']}{rng.randrange(100)}".lower()
        phone = f"0{rng.randrange(10**8, 10**9)}"
        return {"phone": phone, "email": f"{name}@{host}.example"}

    def person(family_name: str, home: Record) -> Record:
        born = f"{rng.randrange(1930, 2005)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
        record = {"given": given(), "family": family_name, "born": born, **home}
        return record | contact(record)

    found: list[Record] = []
    while len(found) < count:
        name, home = family(), address()
        found += [person(name, home) for _ in range(rng.choice([1, 1, 1, 1, 2, 4]))]

    def again(record: Record) -> Record:
        other = dict(record)
        for name, chance in (("given", 0.15), ("family", 0.15), ("street", 0.1), ("email", 0.05)):
            if rng.random() < chance:
                other[name] = _typo(rng, other[name])
        if rng.random() < 0.1:
            other["given"], other["family"] = other["family"], other["given"]
        if rng.random() < 0.2:
            other |= address() | {"phone": f"0{rng.randrange(10**8, 10**9)}"}
        if rng.random() < 0.04:
            other["born"] = other["born"][:5] + other["born"][8:] + "-" + other["born"][5:7]
        for name in ("born", "street", "phone", "email"):
            if rng.random() < 0.1:
                other[name] = ""
        return other

    return found[:count], again


def products(rng: random.Random, count: int) -> tuple[list[Record], Callable[[Record], Record]]:
    """Distinct products, most with variants that differ in colour or size; and another offer."""
    brand, line, kind = _words(rng, 40, 2), _words(rng, 900, 2), _words(rng, 25, 3)
    colours = ["Black", "White", "Silver", "Red", "Blue", "Green"]
    found: list[Record] = []
    while len(found) < count:
        maker, name, what = brand(), line(), kind()
        price, model = rng.uniform(5, 900), rng.randrange(100, 999)
        for colour in rng.sample(colours, rng.choice([1, 1, 2, 3])):
            size = rng.choice([64, 128, 256, 512])
            code = f"{maker[:2].upper()}{model}-{size}{colour[:2].upper()}{rng.randrange(10, 99)}"
            found.append(
                {
                    "title": f"{maker} {name} {model} {size}GB {colour} {what}",
                    "brand": maker,
                    "category": what,
                    "code": code,
                    "price": f"{price * (1 + size / 1000):.2f}",
                    "weight": f"{rng.uniform(50, 5000):.0f}",
                }
            )

    def again(record: Record) -> Record:
        other = dict(record)
        words = other["title"].split()
        if rng.random() < 0.3:
            words.append(words.pop(0))
        if rng.random() < 0.3:
            words = [w for w in words if w != other["category"]]
        words = [_typo(rng, w) if rng.random() < 0.05 else w for w in words]
        other["title"] = " ".join(words)
        other["price"] = f"{float(other['price']) * rng.uniform(0.95, 1.05):.2f}"
        if rng.random() < 0.5:
            other["code"] = other["code"].replace("-", "")
        for name, chance in (("code", 0.2), ("weight", 0.2), ("category", 0.1)):
            if rng.random() < chance:
                other[name] = ""
        return other

    return found[:count], again


def papers(rng: random.Random, count: int) -> tuple[list[Record], Callable[[Record], Record]]:
    """Papers, a sixth with a part II, some with namesakes of other years; and preprints of them."""
    word, venue = _words(rng, 1200, 3), [_word(rng, 2) for _ in range(60)]
    given, family = _words(rng, 300, 2), _words(rng, 1200, 2)

    def doi() -> str:
        return f"10.{rng.randrange(1000, 9999)}/{word().lower()}.{rng.randrange(10**5, 10**6)}"

    def paper() -> Record:
        title = [word().lower() for _ in range(rng.randrange(3, 8))]
        title.insert(rng.randrange(1, 3), rng.choice(["of", "for", "in", "and", "with"]))
        names = (f"{given()} {family()}" for _ in range(rng.choice([1, 2, 2, 3, 3, 4])))
        return {
            "title": " ".join(title).capitalize(),
            "authors": "; ".join(names),
            "year": str(rng.randrange(1985, 2025)),
            "venue": f"{rng.choice(['Journal', 'Annals', 'Proceedings'])} of {rng.choice(venue)}",
            "doi": doi(),
        }

    found: list[Record] = []
    while len(found) < count:
        one = paper()
        found.append(one)
        chance = rng.random()
        if chance < 0.15:  # the next part, by the same authors
            first, second = rng.choice([("", " II"), (" I", " II"), (", part 1", ", part 2")])
            later = str(int(one["year"]) + rng.choice([0, 0, 1]))
            found.append(one | {"title": one["title"] + second, "year": later, "doi": doi()})
            one["title"] += first
        elif chance < 0.22:  # one that comes again, as a report does
            later = str(int(one["year"]) + rng.randrange(2, 6))
            found.append(one | {"year": later, "authors": paper()["authors"], "doi": doi()})

    def again(record: Record) -> Record:
        other = dict(record)
        if rng.random() < 0.3:
            other |= {"venue": "arXiv", "doi": doi()}
            other["year"] = str(int(other["year"]) - rng.choice([0, 1, 1]))
        elif rng.random() < 0.4:
            other["venue"] = " ".join(w[:4] + "." for w in other["venue"].split() if w != "of")
        if rng.random() < 0.5:
            names = (name.split() for name in other["authors"].split("; "))
            other["authors"] = "; ".join(f"{last}, {first[0]}." for first, last in names)
        if rng.random() < 0.15:
            other["title"] = _typo(rng, other["title"])
        if rng.random() < 0.1 and other["title"][-1] not in "I12":
            other["title"] = " ".join(other["title"].split()[:-1])
        for name, chance in (("doi", 0.4), ("year", 0.05), ("venue", 0.1)):
            if rng.random() < chance:
                other[name] = ""
        return other

    return found[:count], again


def genes(rng: random.Random, count: int) -> tuple[list[Record], Callable[[Record], Record]]:
    """Genes in families whose names differ in a number; and the same from another database."""
    family, what = (
        _words(rng, 900, 3),
        ["receptor", "kinase", "carrier", "factor", "binding protein"],
    )

    def letters() -> str:
        return "".join(rng.choices(string.ascii_uppercase, k=rng.choice([3, 4])))

    found: list[Record] = []
    while len(found) < count:
        stem, name, kind, arm = letters(), family().lower(), rng.choice(what), rng.choice("pq")
        for number in range(1, 1 + rng.choice([1, 1, 2, 3, 6])):
            found.append(
                {
                    "symbol": f"{stem}{number}",
                    "synonym": f"{letters()}{rng.randrange(1, 20)}",
                    "name": f"{name} {kind} {number}",
                    "ensembl": f"ENSG{rng.randrange(10**8):011d}",
                    "location": f"{rng.randrange(1, 23)}{arm}{rng.randrange(11, 36)}",
                }
            )

    def again(record: Record) -> Record:
        other = dict(record)
        if rng.random() < 0.25:
            other["symbol"], other["synonym"] = other["synonym"], other["symbol"]
        if rng.random() < 0.2:
            words = other["name"].split()
            other["name"] = f"{' '.join(words[1:])}, {words[0]}"
        if rng.random() < 0.1:
            other["name"] = (
                _typo(rng, other["name"].rsplit(" ", 1)[0]) + " " + other["name"].rsplit(" ", 1)[1]
            )
        for name, chance in (("ensembl", 0.5), ("synonym", 0.3), ("location", 0.2), ("name", 0.1)):
            if rng.random() < chance:
                other[name] = ""
        return other

    return found[:count], again


def companies(rng: random.Random, count: int) -> tuple[list[Record], Callable[[Record], Record]]:
    """Firms, some with a daughter in another town; and the same in another register."""
    name, city, street = _words(rng, 1500, 2), _words(rng, 80, 2), _words(rng, 700, 2)
    trades = ["Foods", "Logistics", "Software", "Steel", "Textiles", "Energy", "Media"]
    forms = ["Ltd", "Limited", "GmbH", "Inc", "Inc.", "Corp", "LLC", "S.A.", ""]

    def seat() -> Record:
        return {
            "street": f"{rng.randrange(1, 200)} {street()} Street",
            "city": city(),
            "phone": f"0{rng.randrange(10**8, 10**9)}",
        }

    found: list[Record] = []
    while len(found) < count:
        called, trade = f"{name()} {name()}", rng.choice(trades)
        site = f"www.{called.replace(' ', '').lower()}.example"
        one = {"name": f"{called} {trade} {rng.choice(forms)}".strip(), **seat(), "website": site}
        found.append(one)
        if rng.random() < 0.15:
            found.append(one | {"name": f"{called} {rng.choice(trades)} {city()}"} | seat())

    def again(record: Record) -> Record:
        other = dict(record)
        words = other["name"].split()
        if rng.random() < 0.5:
            words = [w for w in words if w not in forms] + [rng.choice(forms)]
        other["name"] = " ".join(words).strip()
        if rng.random() < 0.15:
            other["name"] = _typo(rng, other["name"])
        if rng.random() < 0.3:
            other["website"] = "https://" + other["website"]
        if rng.random() < 0.15:
            other |= seat()
        for field, chance in (("phone", 0.2), ("website", 0.3), ("street", 0.1)):
            if rng.random() < chance:
                other[field] = ""
        return other

    return found[:count], again


def places(rng: random.Random, count: int) -> tuple[list[Record], Callable[[Record], Record]]:
    """Places, some of one name in two regions; and the same in another gazetteer."""
    name, region = _words(rng, 2500, 2), [_word(rng, 3) for _ in range(40)]
    accents = str.maketrans("aeiou", "áèîöü")

    def place(called: str) -> Record:
        return {
            "name": called,
            "region": rng.choice(region),
            "latitude": f"{rng.uniform(-60, 70):.4f}",
            "longitude": f"{rng.uniform(-180, 180):.4f}",
            "population": str(int(10 ** rng.uniform(2, 6))),
        }

    found: list[Record] = []
    while len(found) < count:
        called = name() + rng.choice(["", "", " " + rng.choice(["upon", "Upper", "Lower"])])
        found += [place(called) for _ in range(rng.choice([1, 1, 1, 2]))]

    def again(record: Record) -> Record:
        other = dict(record)
        if rng.random() < 0.3:
            other["name"] = other["name"].translate(accents)
        if rng.random() < 0.1:
            other["name"] = _typo(rng, other["name"])
        for field in ("latitude", "longitude"):
            other[field] = f"{float(other[field]) + rng.gauss(0, 0.01):.3f}"
        other["population"] = str(int(int(other["population"]) * rng.uniform(0.9, 1.1)))
        for field, chance in (("population", 0.2), ("region", 0.15)):
            if rng.random() < chance:
                other[field] = ""
        return other

    return found[:count], again


KINDS: Mapping[str, Callable[..., tuple[list[Record], Callable[[Record], Record]]]] = {
    "people": people,
    "products": products,
    "papers": papers,
    "genes": genes,
    "companies": companies,
    "places": places,
}


def plant(folder: Path, kind: str, count: int, seed: int) -> tuple[list[Path], Truth]:
    """Write ``count`` records to ``one/KIND.csv``, and to ``two/KIND.csv`` half of them again among
    others that are not in the first; a tenth of those is there twice.

    Returns:
        the files; and the pairs of ids that are one, ascending within a pair.
    """
    rng = random.Random(f"{kind} {seed}")
    records, again = KINDS[kind](rng, count + count // 2)
    first = {f"a{i}": record for i, record in enumerate(records[:count])}
    meant: list[tuple[int, Record]] = []
    for i in rng.sample(range(len(records)), len(records) // 2):
        meant += [(i, again(records[i])) for _ in range(2 if rng.random() < 0.1 else 1)]
    rng.shuffle(meant)
    second = {f"b{j}": record for j, (_, record) in enumerate(meant)}
    same: dict[int, list[str]] = {i: [f"a{i}"] for i in range(count)}
    for j, (i, _) in enumerate(meant):
        same.setdefault(i, []).append(f"b{j}")
    truth = {
        (min(one, other), max(one, other))
        for names in same.values()
        for k, one in enumerate(names)
        for other in names[k + 1 :]
    }
    files = [folder / "one" / f"{kind}.csv", folder / "two" / f"{kind}.csv"]
    for path, rows in zip(files, (first, second)):
        path.parent.mkdir(parents=True)
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, ["id", *records[0]])
            writer.writeheader()
            writer.writerows({"id": name, **record} for name, record in rows.items())
    return files, truth
