"""Which records of a table are about the same thing, how likely each pair is, and why.

The model is that of Fellegi and Sunter as splink fits it, without labels: how often fields agree
among pairs that are one, and among pairs that are not. Both are learnt from pairs that share a key,
so that what keys, families and variants of a product have in common speaks for little.

Knows a table of records; knows no graph. Needs the extra ``link``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import sparse

from sightline.graph.errors import MissingExtra
from sightline.graph.merging.records import Column, Records

if TYPE_CHECKING:
    from splink import Linker
    from splink.comparison_library import CustomComparison
    from splink.internals.splink_dataframe import SplinkDataFrame

#: Records that share a key are compared with each other up to so many.
MOST_SHARING = 100
#: Pairs that are compared; keys that give more are left out, the coarsest first.
MOST_PAIRS = 10_000_000
#: Pairs that the model is learnt from.
TRAINING_PAIRS = 300_000
#: Duplicates of a record to begin with.
START = 0.3
#: Steps of expectation maximisation; half as many where few pairs drive a share to nothing.
STEPS = 30
#: Fewer pairs tell nothing of how often fields agree.
LEAST_PAIRS = 50
#: Pairs are scored from these bits with the share to begin with, and in how many rounds the share
#: is found that the scores give.
LEAST_WEIGHT, ROUNDS = -10.0, 30
#: What is kept of pairs: below it they are not one.
LEAST_PROBABILITY = 0.01


#: Records that hang together are compared with each other up to so many.
MOST_TOGETHER = 300
#: A word that only one of two texts has, and that makes it another one of a row. A single letter
#: may as well be an initial.
PART = r"\b(?:\d{1,2}|i{2,3}|iv|vi{1,3}|ix)\b"
#: The number at the end of a word: ``plate12`` is not ``plate13``.
END = r"\pL(\d+)\b"
#: Beside a longer number a short one may be a slip of it.
LONG = r"\b\d{3,}\b"
#: How much likelier things called so are two than one. It is not learnt: parts of one work have
#: everything else in common, so that they would pass for the work itself.
ANOTHER = 2.0**20
PAIRS = pl.Schema(
    [("a", pl.Int32), ("b", pl.Int32), ("probability", pl.Float64), ("reasons", pl.List(pl.String))]
)


@dataclass(frozen=True, slots=True)
class Compared:
    """Pairs of records.

    Attributes:
        pairs: ``a``, ``b``, ``a < b``; ``probability`` that they are one, and ``reasons``, what
            speaks for it and against it, in words.
        copies: ``entity`` and ``of``: records that say the same as two others, of which one stands
            for them.
        uncompared: records whose every key is shared by more than ``MOST_SHARING``.
        titles: the fields that were compared.
    """

    pairs: pl.DataFrame
    copies: pl.DataFrame
    uncompared: int
    titles: tuple[str, ...]


def require_splink() -> None:
    """Raises MissingExtra where splink is not installed."""
    if find_spec("splink") is None:
        raise MissingExtra("splink", "link")


def keys_of(records: Records) -> pl.DataFrame:
    """The keys under which records are compared: ``entity`` and ``key``."""
    frame = records.frame
    parts = [
        frame.select("entity", key=pl.format(f"{name}:{{}}", key).cast(pl.String))
        for name, key in _keys(records)
    ]
    none = pl.DataFrame(schema={"entity": frame.schema["entity"], "key": pl.String})
    keys = pl.concat([none, *parts, *_word_keys(records)]).drop_nulls().unique(maintain_order=True)
    sizes = keys.group_by("key").len("size")
    return keys.join(sizes.filter(pl.col("size") > 1), on="key", maintain_order="left")


def _keys(records: Records) -> Iterator[tuple[str, pl.Expr]]:
    coarse: list[tuple[str, pl.Expr]] = []
    for column in records.columns:
        name = column.fields[0]
        value = pl.col(name)
        match column.kind:
            case "names":
                both = pl.concat_list(*column.fields).list.sort()
                yield name, both.list.join(" ", ignore_nulls=False)
                start = pl.concat_list(*(pl.col(f).str.slice(0, 3) for f in column.fields))
                coarse.append((name, start.list.sort().list.join(" ", ignore_nulls=False)))
                coarse += [(f, pl.col(f)) for f in column.fields]
            case "codes":
                for field in column.fields:  # under one name, as either may be the other's
                    yield name, pl.col(field)
            case "name":
                yield name, value
                coarse.append((name, value.str.slice(0, 4)))
            case "number" | "category":
                coarse.append((name, value))
            case "date" | "code":
                yield name, value
                coarse.append((name, value.str.slice(0, 7 if column.kind == "date" else 4)))
    for (one, a), (other, b) in combinations(coarse, 2):
        if one != other:
            yield f"{one} {other}", pl.format("{} {}", a, b)


def _word_keys(records: Records) -> Iterator[pl.DataFrame]:
    """The three rarest words of a text that other texts have too."""
    for column in records.columns:
        if column.kind != "text":
            continue
        name = column.fields[0]
        words = records.frame.select("entity", word=pl.col(name).str.split(" ")).explode("word")
        words = words.drop_nulls().unique(maintain_order=True)
        words = words.with_columns(n=pl.len().over("word")).filter(pl.col("n") > 1)
        rare = words.sort("entity", "n", "word").group_by("entity", maintain_order=True).head(4)
        rare = rare.sort("entity", "word").group_by("entity", maintain_order=True).agg("word")
        for i, j in combinations(range(4), 2):
            word = pl.col("word").list
            two = (word.get(at, null_on_oob=True) for at in (i, j))
            pair = pl.format(f"{name}:{{}} {{}}", *two)
            yield rare.select("entity", key=pair)


def _limited(keys: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The keys that few enough records share, and how many records are left without one."""
    fit = keys.filter(pl.col("size") <= MOST_SHARING).sort("size", "key", "entity")
    pairs = (pl.col("size") - 1) / 2
    fit = fit.filter(pairs.cum_sum() <= MOST_PAIRS)
    without = keys["entity"].n_unique() - fit["entity"].n_unique()
    return fit.select("entity", "key"), without


def compare(records: Records, threshold: float) -> Compared:
    """The pairs of records that share a key, and those that hang together by pairs of the
    threshold, with the chance that they are one."""
    records, copies = _without_copies(records)
    titles = tuple(column.title for column in records.columns)
    if not titles:
        return Compared(pl.DataFrame(schema=PAIRS), copies, 0, titles)
    keys, uncompared = _limited(keys_of(records))
    telling = _telling(records)
    if len(titles) < 2 or not telling or keys.is_empty():
        return Compared(pl.DataFrame(schema=PAIRS), copies, uncompared, titles)
    linker, rows = _trained(records, keys, telling)
    scored = _scored(linker.inference.predict(threshold_match_weight=LEAST_WEIGHT), records)
    n = records.frame.height
    prior = linker._settings_obj._probability_two_random_records_match
    # How many there are is learnt from all pairs, as is done of how often fields agree.
    bits, share = scored["bits"].to_numpy(), prior
    for _ in range(ROUNDS):
        chance = 1 / (1 + 2.0 ** -(bits + np.log2(share / (1 - share))))
        share = float(np.clip(2 * chance.sum() / (n * (n - 1)), 1 / n**2, 0.5))

    def likely(pairs: pl.DataFrame) -> pl.DataFrame:
        odds = 2.0 ** (pl.col("bits") + float(np.log2(share / (1 - share))))
        return pairs.with_columns(probability=odds / (1 + odds))

    scored = likely(scored).filter(pl.col("probability") >= LEAST_PROBABILITY)
    together = parts_of(scored.filter(pl.col("probability") >= threshold))
    together = together.filter(pl.len().over("part").is_between(3, MOST_TOGETHER))
    if not together.is_empty():
        inside = rows.join(together, on="entity", maintain_order="left")
        within = linker.inference.predict_within(
            linker._db_api.register(inside.to_arrow()),
            blocking_rules_to_generate_predictions=["l.part = r.part"],
            warning_mode="never",
        )
        scored = pl.concat([scored, likely(_scored(within, records))])
        scored = scored.unique(("a", "b"), keep="first", maintain_order=True)
    return Compared(_told(scored, records), copies, uncompared, titles)


def _without_copies(records: Records) -> tuple[Records, pl.DataFrame]:
    """The records, of those that say the same two, and which ones these stand for."""
    fields = [field for column in records.columns for field in column.fields]
    known = pl.sum_horizontal(pl.col(fields).is_not_null())
    frame = records.frame
    if not fields:
        return records, pl.DataFrame(schema={"entity": pl.Int32, "of": pl.Int32})
    same = frame.with_columns(
        of=pl.col("entity").first().over(fields),
        nth=pl.int_range(pl.len()).over(fields),
        known=known,
    )
    copy = (pl.col("nth") > 1) & (pl.col("known") > 1)
    return (
        Records(same.filter(~copy).select(frame.columns), records.columns),
        same.filter(copy).select("entity", "of"),
    )


def parts_of(pairs: pl.DataFrame) -> pl.DataFrame:
    """What hangs together by pairs of the columns ``a`` and ``b``: ``entity`` and ``part``."""
    ids = pl.concat([pairs["a"], pairs["b"]]).unique().sort()
    if ids.is_empty():
        return pl.DataFrame(schema={"entity": pl.Int32, "part": pl.Int32})
    ends = [ids.search_sorted(pairs[side]).to_numpy() for side in ("a", "b")]
    links = sparse.coo_array((np.ones(pairs.height), tuple(ends)), (len(ids), len(ids)))
    _, part = sparse.csgraph.connected_components(links, directed=False)
    return pl.DataFrame({"entity": ids, "part": part.astype(np.int32)})


def _scored(found: SplinkDataFrame, records: Records) -> pl.DataFrame:
    """Pairs of a prediction, ``a < b``, each once, with their bits and their levels."""
    names = [column.fields[0] for column in records.columns]
    frame = pl.DataFrame(found.as_duckdbpyrelation().to_arrow_table())
    weights = {
        name: pl.sum_horizontal(
            *(c for c in (f"mw_{name}", f"mw_tf_adj_{name}") if c in frame.columns)
        ).fill_null(0.0)
        for name in names
    }
    frame = frame.select(
        *(weight.alias(f"bits_{name}") for name, weight in weights.items()),
        *(f"gamma_{name}" for name in names),
        a=pl.min_horizontal("entity_l", "entity_r"),
        b=pl.max_horizontal("entity_l", "entity_r"),
    )
    frame = frame.with_columns(bits=pl.sum_horizontal(*(f"bits_{name}" for name in names)))
    return frame.unique(("a", "b"), keep="first").sort("a", "b")


def _told(scored: pl.DataFrame, records: Records) -> pl.DataFrame:
    """Pairs with their reasons, the strongest first."""
    told = []
    for column in records.columns:
        levels = ("not known", *(level.says for level in _levels(column)), "different")
        numbers = (-1, *range(len(levels) - 2, -1, -1))
        said = pl.col(f"gamma_{column.fields[0]}").replace_strict(numbers, levels)
        bits = pl.col(f"bits_{column.fields[0]}")
        sign = pl.when(bits > 0).then(pl.lit("+")).otherwise(pl.lit(""))
        text = pl.format(f"{column.title}: {{}} ({{}}{{}} bits)", said, sign, bits.round(1))
        told.append(pl.struct(size=-bits.abs(), text=text))
    reasons = pl.concat_list(told).list.sort().list.eval(pl.element().struct.field("text"))
    return scored.select("a", "b", "probability", reasons=reasons)


def _trained(
    records: Records, keys: pl.DataFrame, telling: Sequence[str], steps: int = STEPS
) -> tuple[Linker, pl.DataFrame]:
    """A model of which fields agree among pairs that are one, and among all pairs; and its rows."""
    import duckdb
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[_comparison(column) for column in records.columns],
        blocking_rules_to_generate_predictions=[block_on("keys", arrays_to_explode=["keys"])],
        unique_id_column_name="entity",
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=True,
        max_iterations=steps,
        probability_two_random_records_match=START / records.frame.height,
    )
    connection = duckdb.connect(":memory:")
    # Sums of several threads come in any order, and the same load must come of the same data.
    connection.execute("SET threads = 1")
    lists = keys.group_by("entity", maintain_order=True).agg(keys="key")
    rows = records.frame.join(lists, on="entity", how="left", maintain_order="left")
    table = DuckDBAPI(connection).register(rows.to_arrow())
    linker = Linker(table, settings, log_level=logging.ERROR)
    train = linker.training
    train.estimate_u_using_random_sampling(
        TRAINING_PAIRS, seed=1, min_count_per_level=None, num_chunks=1
    )
    try:
        for field in telling:
            train.estimate_parameters_using_expectation_maximisation(
                block_on(field), max_pairs=TRAINING_PAIRS
            )
    except ValueError:  # a few pairs drove a share below what splink takes, which ends it halfway
        if steps == 1:
            raise
        return _trained(records, keys, telling, steps // 2)
    return linker, rows


def _telling(records: Records) -> list[str]:
    """Fields that pairs share mostly where they are one: two that few enough records share."""
    counts: dict[Column, tuple[bool, int, str]] = {}
    for column in records.columns:
        for field in column.fields:
            sizes = records.frame[field].drop_nulls().value_counts()["count"].cast(pl.Int64)
            pairs = int((sizes * (sizes - 1)).sum()) // 2
            if pairs >= LEAST_PAIRS:
                vague = column.kind in ("number", "category")
                counts.setdefault(column, (vague, pairs, field))
    return [field for *_, field in sorted(counts.values())[:2]]


def _comparison(column: Column) -> CustomComparison:
    import splink.comparison_level_library as library
    from splink.comparison_library import CustomComparison

    missing = [[f"{field}{side} IS NULL" for field in column.fields] for side in ("_l", "_r")]
    # Either of two codes tells what something is; half a name does not.
    every = " AND " if column.kind == "codes" else " OR "
    unknown = library.CustomLevel(" OR ".join(f"({every.join(side)})" for side in missing))
    unknown.configure(is_null_level=True)
    made = []
    for level in _levels(column):
        made.append(library.CustomLevel(level.condition, level.says))
        made[-1].configure(tf_adjustment_column=column.fields[0] if level.rare else None)
        if level.another:  # only the ratio of the two counts
            made[-1].configure(m_probability=1 / ANOTHER, u_probability=1.0)
            made[-1].configure(fix_m_probability=True, fix_u_probability=True)
    return CustomComparison([unknown, *made, library.ElseLevel()], column.fields[0])


@dataclass(frozen=True, slots=True)
class _Level:
    """How alike two values are.

    Attributes:
        says, condition: in words, and in SQL.
        rare: whether a rare value says more than a frequent one.
        another: whether they are names of two things of a row.
    """

    says: str
    condition: str
    rare: bool = False
    another: bool = False


def _levels(column: Column) -> list[_Level]:
    """The levels of a column, most alike first."""
    a, b = (f"{column.fields[0]}_l", f"{column.fields[0]}_r")
    made: list[_Level] = []

    def level(says: str, condition: str, rare: bool = False, another: bool = False) -> None:
        made.append(_Level(says, condition, rare, another))

    match column.kind:
        case "names":
            c, d = (f"{column.fields[1]}_l", f"{column.fields[1]}_r")
            level("equal", f"{a} = {b} AND {c} = {d}")
            level("swapped", f"{a} = {d} AND {c} = {b}")
            for says, alike in (
                ("one character differs in each", "damerau_levenshtein({}, {}) <= 1"),
                ("alike", "jaro_winkler_similarity({}, {}) >= 0.9"),
            ):
                straight = f"{alike.format(a, b)} AND {alike.format(c, d)}"
                across = f"{alike.format(a, d)} AND {alike.format(c, b)}"
                level(says, f"({straight}) OR ({across})")
            level("one is equal", f"{a} = {b} OR {c} = {d}")
        case "codes":
            c, d = (f"{column.fields[1]}_l", f"{column.fields[1]}_r")
            level("equal", f"{a} = {b} AND {c} = {d}")
            level("swapped", f"{a} = {d} AND {c} = {b}")
            level("one is equal", f"{a} = {b} OR {c} = {d} OR {a} = {d} OR {c} = {b}")
        case "name":
            level("equal", f"{a} = {b}", rare=True)
            numbers = (
                f"list_sort(regexp_extract_all({x}, '{PART}') "
                f"|| regexp_extract_all({x}, '{END}', 1))"
                for x in (a, b)
            )
            apart = f"{' != '.join(numbers)} AND jaro_winkler_similarity({a}, {b}) >= 0.8"
            level("another of a row", apart, another=column.label)
            level("alike", f"jaro_winkler_similarity({a}, {b}) >= 0.92")
            level("somewhat alike", f"jaro_winkler_similarity({a}, {b}) >= 0.8")
        case "text":
            left, right = (f"string_split({x}, ' ')" for x in (a, b))
            own_l = f"list_filter({left}, lambda x: NOT list_contains({right}, x))"
            own_r = f"list_filter({right}, lambda x: NOT list_contains({left}, x))"
            shared = f"len(list_intersect({left}, {right}))"
            whole = f"(len({left}) + len({right}) - {shared})"
            level("the same words", f"{shared} = {whole}")
            half = f"2 * {shared} >= {whole}"
            fewer = f"least(len({left}), len({right}))"
            one, other = (f"array_to_string(list_sort({x}), ' ')" for x in (own_l, own_r))
            words = f"{one} || ' ' || {other}"
            another = f"regexp_matches({words}, '{PART}') AND NOT regexp_matches({words}, '{LONG}')"
            level("another part or edition", f"{another} AND {half}", another=column.label)
            level("one has all words of the other", f"{shared} >= {fewer} AND {half}")
            slip = f"damerau_levenshtein({one}, {other}) <= 2"
            slip += f" AND NOT regexp_matches({one} || {other}, '[0-9]')"
            level("the same words but for a slip", f"{slip} AND {half}")
            initials = f"{shared} > 0 AND {_initials(own_l, own_r)}"
            level("the same words but for initials", initials)
            level("half of the words", half)
        case "code":
            level("equal", f"{a} = {b}", rare=True)
            # Another digit is another phone number or model; another letter may be a slip.
            digits = "regexp_replace({}, '[^0-9]', '', 'g')"
            slip = f"damerau_levenshtein({a}, {b}) <= 2 AND {digits.format(a)} = {digits.format(b)}"
            level("the same digits, letters differ", slip)
            level("one character differs", f"damerau_levenshtein({a}, {b}) <= 1")
        case "date":
            level("equal", f"{a} = {b}", rare=True)
            level("one character differs", f"damerau_levenshtein({a}, {b}) <= 1")
            parts = "list_sort(string_split({}, '-'))"
            level("day and month swapped", f"{parts.format(a)} = {parts.format(b)}")
            level("the same year", f"left({a}, 4) = left({b}, 4)")
        case "number":
            level("equal", f"{a} = {b}")
            gap = f"abs({a} - {b}) / greatest(abs({a}), abs({b}))"
            level("within 1 %", f"{gap} <= 0.01")
            level("within 10 %", f"{gap} <= 0.1")
        case "category":
            level("equal", f"{a} = {b}", rare=True)
            level("alike", f"jaro_winkler_similarity({a}, {b}) >= 0.92")
    return made


def _initials(own_l: str, own_r: str) -> str:
    """Whether words that only one of two texts has each begin with one of the other, or the other
    way round: ``J. Smith`` is ``John Smith``."""
    begins = "(starts_with(x, y) OR starts_with(y, x))"
    sides = (
        f"len(list_filter({one}, lambda x: len(list_filter({other}, lambda y: {begins})) = 0)) = 0"
        for one, other in ((own_l, own_r), (own_r, own_l))
    )
    return " AND ".join(sides)
