"""What follows from statements by RDFS and the core of OWL 2 RL.

The rules are those of the OWL 2 RL profile for subclasses, subproperties, domain, range, inverse,
symmetric and transitive properties, property chains and equivalence, under their names there
(https://www.w3.org/TR/owl2-profiles/#Reasoning_in_OWL_2_RL_and_RDF_Graphs_using_Rules). They are
applied until nothing new follows; each round starts from what the round before added, so that
every statement is explained by earlier ones.

Knows columns of terms; knows no load. Left out, because it says nothing: that a thing is of type
owl:Thing or of a class without a name, that a class is its own subclass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
import polars as pl

from sightline.graph.arrays import reached
from sightline.graph.progress import Progress, silent
from sightline.graph.reasoning.errors import TooManyInferred
from sightline.graph.vocabulary import (
    GENID,
    OWL,
    RDF,
    RDF_TYPE,
    RDFS,
    XSD,
    contract,
    default_prefixes,
    expand,
)

#: Changes whenever the rules do, so that what older rules inferred is inferred again.
VERSION = "owl-rl-core-1"
#: Direct rules first: where several give the same statement, the first one explains it.
TEXT = """
cax-sco   ?c rdfs:subClassOf ?d . ?x rdf:type ?c                   -> ?x rdf:type ?d
cax-eqc1  ?c owl:equivalentClass ?d . ?x rdf:type ?c               -> ?x rdf:type ?d
cax-eqc2  ?c owl:equivalentClass ?d . ?x rdf:type ?d               -> ?x rdf:type ?c
prp-dom   ?p rdfs:domain ?c . ?x ?p ?y                             -> ?x rdf:type ?c
prp-rng   ?p rdfs:range ?c . ?x ?p ?y                              -> ?y rdf:type ?c
prp-spo1  ?p rdfs:subPropertyOf ?q . ?x ?p ?y                      -> ?x ?q ?y
prp-eqp1  ?p owl:equivalentProperty ?q . ?x ?p ?y                  -> ?x ?q ?y
prp-eqp2  ?p owl:equivalentProperty ?q . ?x ?q ?y                  -> ?x ?p ?y
prp-inv1  ?p owl:inverseOf ?q . ?x ?p ?y                           -> ?y ?q ?x
prp-inv2  ?p owl:inverseOf ?q . ?x ?q ?y                           -> ?y ?p ?x
prp-symp  ?p rdf:type owl:SymmetricProperty . ?x ?p ?y             -> ?y ?p ?x
prp-trp   ?p rdf:type owl:TransitiveProperty . ?x ?p ?y . ?y ?p ?z -> ?x ?p ?z
scm-sco   ?c rdfs:subClassOf ?d . ?d rdfs:subClassOf ?e            -> ?c rdfs:subClassOf ?e
scm-spo   ?p rdfs:subPropertyOf ?q . ?q rdfs:subPropertyOf ?r      -> ?p rdfs:subPropertyOf ?r
scm-eqc1  ?c owl:equivalentClass ?d                                -> ?c rdfs:subClassOf ?d
scm-eqc1  ?c owl:equivalentClass ?d                                -> ?d rdfs:subClassOf ?c
scm-eqc2  ?c rdfs:subClassOf ?d . ?d rdfs:subClassOf ?c            -> ?c owl:equivalentClass ?d
scm-eqp1  ?p owl:equivalentProperty ?q                             -> ?p rdfs:subPropertyOf ?q
scm-eqp1  ?p owl:equivalentProperty ?q                             -> ?q rdfs:subPropertyOf ?p
scm-eqp2  ?p rdfs:subPropertyOf ?q . ?q rdfs:subPropertyOf ?p      -> ?p owl:equivalentProperty ?q
"""
CHAIN, FIRST, REST, NIL = OWL + "propertyChainAxiom", RDF + "first", RDF + "rest", RDF + "nil"
#: To be one of these, or a kind of it, says nothing.
EVERYTHING = (OWL + "Thing", RDFS + "Resource", RDFS + "Literal")
#: Relations in which everything stands to itself.
REFLEXIVE = (
    *(RDFS + "subClassOf", RDFS + "subPropertyOf"),
    *(OWL + "equivalentClass", OWL + "equivalentProperty"),
)
#: Rows of one join, so that memory stays bounded however much follows.
JOINED = 4_000_000

TERM = ("object", "datatype", "language")
#: Subject, predicate, object; a text that begins with ``?`` is a variable, an int a term's id.
Pattern = tuple[str | int, str | int, str | int]


def _is_iri(term: str | int) -> TypeGuard[str]:
    return isinstance(term, str) and not term.startswith("?")


@dataclass(frozen=True, slots=True)
class Rule:
    """If all ``premises`` hold, so does the ``conclusion``.

    Attributes:
        premises: neighbours share a variable.
        axiom: statements that the rule itself was made from, premises without variables.
    """

    name: str
    premises: tuple[Pattern, ...]
    conclusion: Pattern
    axiom: tuple[Pattern, ...] = ()

    @classmethod
    def parse(cls, line: str) -> Rule:
        """Read a line of ``TEXT``."""
        prefixes = default_prefixes()
        name, text = line.split(maxsplit=1)
        *premises, conclusion = (
            tuple(expand(word, prefixes) or word for word in part.split())
            for part in text.replace(" -> ", " . ").split(" . ")
        )
        return cls(name, tuple(premises), conclusion)  # type: ignore[arg-type]


RULES = tuple(Rule.parse(line) for line in TEXT.strip().splitlines())
#: Every IRI that the rules name.
CONSTANTS = sorted(
    {t for rule in RULES for p in (*rule.premises, rule.conclusion) for t in p if _is_iri(t)}
)


@dataclass(frozen=True, slots=True)
class Inferred:
    """What follows.

    Attributes:
        statements: columns subject, predicate, object, datatype, language, row; sorted, ``row``
            counts from 1.
        premises: columns row, rule, position, subject, predicate, object, datatype, language:
            the statements from which the statement ``row`` follows by ``rule``.
    """

    statements: pl.DataFrame
    premises: pl.DataFrame


def relevant(facts: pl.LazyFrame) -> pl.DataFrame:
    """The statements among ``facts`` that some rule may use: schema, types, and the statements of
    predicates of which the schema says anything."""
    all_predicates = facts.select(pl.col("predicate").unique()).collect()["predicate"]
    wanted = pl.Series("predicate", [*CONSTANTS, CHAIN, FIRST, REST])
    while True:
        taken = facts.filter(pl.col("predicate").is_in(wanted.implode())).collect()
        mentioned = pl.concat([taken["subject"], taken["object"]]).unique()
        more = all_predicates.filter(all_predicates.is_in(mentioned.implode()))
        grown = pl.concat([wanted, more]).unique()
        if len(grown) == len(wanted):
            return taken
        wanted = grown


def infer(statements: pl.DataFrame, *, limit: int, progress: Progress = silent) -> Inferred:
    """Apply the rules until nothing new follows.

    Args:
        statements: columns subject, predicate, object, datatype, language.

    Raises:
        TooManyInferred: more than ``limit`` statements follow.
    """
    terms = _Terms.of(statements)
    known = delta = terms.encode(statements)
    rules = [terms.encode_rule(rule) for rule in (*RULES, *chain_rules(statements))]
    _refuse_deep(terms, known, limit)
    rounds, count = [_empty(rules)], 0
    while not delta.is_empty():
        progress("reason", count, None, f"round {len(rounds)}")
        found = _round(rules, known, delta, terms, limit - count)
        count += found.height
        if count > limit:
            raise TooManyInferred(limit)
        rounds.append(found)
        delta = found.select("s", "p", "o")
        known = pl.concat([known, delta], rechunk=True)
    progress("reason", count, count, "done")
    return terms.decode(pl.concat(rounds), rules)


def chain_rules(statements: pl.DataFrame) -> list[Rule]:
    """One rule for each property chain; a list that is broken or goes in circles makes none."""
    lists = statements.filter(pl.col("predicate").is_in([CHAIN, FIRST, REST]))
    triples = list(lists.select("subject", "predicate", "object").unique().sort(pl.all()).rows())
    first, rest = ({s: o for s, p, o in triples if p == which} for which in (FIRST, REST))
    rules = []
    for prop, _, start in (t for t in triples if t[1] == CHAIN):
        members: list[str] = []
        node = start
        while node in first and node in rest and len(members) <= len(first):
            members.append(first[node])
            node = rest[node]
        if node == NIL and members:
            steps = tuple((f"?{i}", m, f"?{i + 1}") for i, m in enumerate(members))
            conclusion = ("?0", prop, f"?{len(members)}")
            rules.append(Rule("prp-spo2", steps, conclusion, ((prop, CHAIN, start),)))
    return rules


@dataclass(frozen=True, slots=True)
class _Terms:
    """Terms and their ids, which are positions.

    Attributes:
        keys: sorted texts: an IRI as it is; a literal as ``"datatype"language"text``, which no IRI
            can be.
        literal, unnamed, says_nothing: bool per term.
    """

    keys: pl.Series
    literal: npt.NDArray[np.bool_]
    unnamed: npt.NDArray[np.bool_]
    says_nothing: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, statements: pl.DataFrame) -> _Terms:
        """The terms of ``statements``, and those that the rules name."""
        columns = statements.select("subject", "predicate", _key().alias("object"))
        constants = pl.Series(CONSTANTS)
        keys = pl.concat([constants, *(c.rename("") for c in columns)]).unique().sort()
        literal = keys.str.starts_with('"')
        general = keys.is_in(EVERYTHING) | keys.str.starts_with(XSD) | literal
        unnamed = keys.str.starts_with(GENID)
        return cls(keys, literal.to_numpy(), unnamed.to_numpy(), general.to_numpy())

    def encode(self, statements: pl.DataFrame) -> pl.DataFrame:
        """UInt32 columns s, p, o, each row once."""
        frame = statements.select("subject", "predicate", _key().alias("object"))
        for name in ("subject", "predicate", "object"):
            ids = pl.DataFrame({name: self.keys}).with_row_index(name[0])
            frame = frame.join(ids, on=name, how="left", maintain_order="left")
        return frame.select("s", "p", "o").unique()

    def id(self, term: str) -> int:
        """The id of a term that is there."""
        return int(self.keys.search_sorted(term))

    def encode_rule(self, rule: Rule) -> Rule:
        """The same rule with ids for IRIs."""

        def encode(pattern: Pattern) -> Pattern:
            s, p, o = (self.id(t) if _is_iri(t) else t for t in pattern)
            return s, p, o

        return replace(
            rule,
            premises=tuple(encode(p) for p in rule.premises),
            conclusion=encode(rule.conclusion),
            axiom=tuple(encode(p) for p in rule.axiom),
        )

    def worth_saying(self, found: pl.DataFrame) -> pl.DataFrame:
        """The rows of ``found`` that are statements, and say something."""
        s, p, o = (found[c].to_numpy() for c in "spo")
        reflexive = np.isin(p, [self.id(iri) for iri in REFLEXIVE])
        typing = p == self.id(RDF_TYPE)
        good = ~self.literal[s] & ~self.literal[p] & ~self.unnamed[p]
        good &= ~(reflexive & ((s == o) | self.says_nothing[o]))
        good &= ~(typing & (self.says_nothing[o] | self.unnamed[o]))
        return found.filter(pl.Series(good))

    def decode(self, found: pl.DataFrame, rules: list[Rule]) -> Inferred:
        """Ids to terms again."""
        found = found.sort("s", "p", "o").with_row_index("row", offset=1)
        names = pl.Series([rule.name for rule in rules], dtype=pl.String)
        found = found.with_columns(rule=names.gather(found["rule"]))
        steps = [
            found.select("row", "rule", pl.lit(k, pl.UInt8).alias("position"), s=s, p=p, o=o)
            for k, (s, p, o) in enumerate(_premise_columns(rules))
        ]
        premises = pl.concat(steps).drop_nulls("s").sort("row", "position")
        return Inferred(
            self._texts(found, "row").select("subject", "predicate", *TERM, "row"),
            self._texts(premises, "row", "rule", "position"),
        )

    def _texts(self, frame: pl.DataFrame, *keep: str) -> pl.DataFrame:
        objects = self.keys.gather(frame["o"])
        # A literal's key is: nothing, datatype, language, text, with a quote between each two.
        parts = objects.str.splitn('"', 4).struct
        literal = objects.str.starts_with('"')
        field = [parts.field(f"field_{i}") for i in range(4)]
        texts = pl.DataFrame({"iri": objects, "text": field[3], "literal": literal})
        return frame.select(keep).with_columns(
            subject=self.keys.gather(frame["s"]),
            predicate=self.keys.gather(frame["p"]),
            object=texts.select(pl.when("literal").then("text").otherwise("iri")).to_series(),
            datatype=field[1],
            language=field[2].replace("", None),
        )


def _refuse_deep(terms: _Terms, known: pl.DataFrame, limit: int) -> None:
    """Refuse where more than ``limit`` statements follow of hierarchies and transitive relations
    alone, each by itself. Rounds find the same pair as often as there are ways to it: a taxonomy of
    100,000 levels would take hours to be too much."""
    from scipy import sparse

    s, p, o = (known[c].to_numpy() for c in "spo")
    said = (p == terms.id(RDF_TYPE)) & (o == terms.id(OWL + "TransitiveProperty"))
    hierarchies = [terms.id(RDFS + name) for name in ("subClassOf", "subPropertyOf")]
    more: dict[int, int] = {}
    for relation in sorted({*hierarchies, *s[said].tolist()}):
        of_it = (p == relation) & (s != o)
        if relation in hierarchies:
            of_it &= ~terms.says_nothing[o]
        nodes, place = np.unique(np.concatenate([s[of_it], o[of_it]]), return_inverse=True)
        step, itself = (
            sparse.csr_array(
                (np.ones(len(ends) // 2, np.bool_), np.split(ends, 2)), (len(nodes),) * 2
            )
            for ends in (place, np.tile(np.arange(len(nodes)), 2))
        )
        pairs = reached(itself, step, limit + len(nodes) + step.nnz).nnz
        more[relation] = pairs - len(nodes) - step.nnz
    if sum(more.values()) > limit:
        iri = terms.keys[max(more, key=more.__getitem__)]
        raise TooManyInferred(limit, contract(iri, default_prefixes()))


def _key() -> pl.Expr:
    literal = [pl.lit(""), pl.col("datatype"), pl.col("language").fill_null(""), pl.col("object")]
    is_iri = pl.col("datatype").is_null()
    return pl.when(is_iri).then("object").otherwise(pl.concat_str(literal, separator='"'))


def _premise_columns(rules: list[Rule]) -> list[list[str]]:
    most = max(len(rule.axiom) + len(rule.premises) for rule in rules)
    return [[f"{c}{k}" for c in "spo"] for k in range(most)]


def _empty(rules: list[Rule]) -> pl.DataFrame:
    """No row, and the columns of a round: the statement, its rule's number, the premises."""
    names = ["s", "p", "o", "rule", *(c for step in _premise_columns(rules) for c in step)]
    return pl.DataFrame(schema=dict.fromkeys(names, pl.UInt32))


def _round(
    rules: list[Rule], known: pl.DataFrame, delta: pl.DataFrame, terms: _Terms, room: int
) -> pl.DataFrame:
    """What is new and follows from ``known`` with at least one premise in ``delta``; more than
    ``room`` rows only say that there are too many."""
    found = [_empty(rules)]
    for number, rule in enumerate(rules):
        # In the first round everything is new: any one premise finds all.
        positions = range(1 if delta is known else len(rule.premises))
        for position in positions:
            for bound in _bindings(rule, position, known, delta):
                found.append(terms.worth_saying(_conclude(rule, number, bound)))
                if sum(frame.height for frame in found) > JOINED:
                    found = [_new(found, known)]
                    if found[0].height > room:
                        return found[0]
    return _new(found, known)


def _new(found: list[pl.DataFrame], known: pl.DataFrame) -> pl.DataFrame:
    """Each statement once that is not known, by its first rule and first premises."""
    frame = pl.concat(found, how="diagonal").join(known, on=["s", "p", "o"], how="anti")
    first = ["s", "p", "o", "rule"]
    rest = [column for column in frame.columns if column not in first]
    return frame.sort(*first, *rest).unique(["s", "p", "o"], keep="first", maintain_order=True)


def _bindings(
    rule: Rule, position: int, known: pl.DataFrame, delta: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    """Values of the rule's variables for which the premise at ``position`` is in ``delta`` and the
    others are in ``known``, in parts of bounded size."""
    # Outwards from the position, so that each premise shares a variable with one before it.
    order = [*range(position - 1, -1, -1), *range(position + 1, len(rule.premises))]
    start = _match(delta, rule.premises[position])
    yield from _extend(start, [rule.premises[i] for i in order], known)


def _extend(
    bound: pl.DataFrame, patterns: list[Pattern], known: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    if bound.is_empty():
        return
    if not patterns:
        yield bound
        return
    other = _match(known, patterns[0])
    shared = [name for name in other.columns if name in bound.columns]
    for part in _slices(bound, other, shared):
        yield from _extend(part.join(other, on=shared), patterns[1:], known)


def _slices(bound: pl.DataFrame, other: pl.DataFrame, shared: list[str]) -> Iterator[pl.DataFrame]:
    """``bound`` in slices, each of which joins with about ``JOINED`` rows of ``other`` at most."""
    if bound.height * other.height <= JOINED:
        yield bound
        return
    fan = other.group_by(shared).len("fan")
    joined = bound.join(fan, on=shared, how="left", maintain_order="left")["fan"].fill_null(0)
    part = joined.cum_sum() // JOINED
    starts = [0, *(np.flatnonzero(np.diff(part.to_numpy())) + 1).tolist(), bound.height]
    for start, end in pairwise(starts):
        yield bound.slice(start, end - start)


def _match(table: pl.DataFrame, pattern: Pattern) -> pl.DataFrame:
    """The rows that fit, as columns named by the variables."""
    fits = [pl.col(c) == t for c, t in zip("spo", pattern) if isinstance(t, int)]
    variables = {str(t): pl.col(c) for c, t in zip("spo", pattern) if not isinstance(t, int)}
    return (table.filter(fits) if fits else table).select(**variables)


def _conclude(rule: Rule, number: int, bound: pl.DataFrame) -> pl.DataFrame:
    """Columns s, p, o, rule, and those of the premises."""

    def value(term: Any) -> pl.Expr:
        return pl.lit(term, pl.UInt32) if isinstance(term, int) else pl.col(term)

    columns = {c: value(t) for c, t in zip("spo", rule.conclusion)}
    columns["rule"] = pl.lit(number, pl.UInt32)
    for k, pattern in enumerate((*rule.axiom, *rule.premises)):
        columns |= {f"{c}{k}": value(t) for c, t in zip("spo", pattern)}
    return bound.select(**columns)
