"""Planted duplicates with their truth: people with typos, swapped names and moved addresses, and
products whose offers are written differently. What makes them hard is planted too: families at one
address, variants of one product.

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


KINDS: Mapping[str, Callable[..., tuple[list[Record], Callable[[Record], Record]]]] = {
    "people": people,
    "products": products,
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
