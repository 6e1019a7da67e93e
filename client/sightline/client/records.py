"""What answers are made of: frozen records of plain values.

Made by ``client/generate.py`` of the declared kinds of answer; not to be changed by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sightline.client.answers import Graph, Record, Table


class Ref(Record):
    """A relation, a type or a property by CURIE (or IRI), IRI and label."""

    id: str
    iri: str
    label: str


class EntityRef(Ref):
    """An entity by CURIE (or IRI), IRI, label and the labels of its types."""

    types: tuple[str, ...]


class Insight(Record):
    """One finding.

    Attributes:
        text: it, in one sentence.
        why: what speaks for it, in one line.
        command: what shows more of it.
        entities: what it is about.
    """

    sort: Literal[
        "likely error",
        "likely missing fact",
        "fact of a text",
        "unexpected connection",
        "in common",
        "bridge",
        "change",
    ]
    text: str
    why: str
    command: str
    entities: tuple[EntityRef, ...]


class Insights(Record, Table):
    """The most worthwhile findings; of each sort the first, then of each the second.

    Attributes:
        found: how many there were to choose from.
        nothing: for each sort without a finding the reason, in words; where time was short that not
            everything was looked at.
        reason: which sorts were not looked for to the end, and what of each was left, where
            ``truncated``.
    """

    insights: tuple[Insight, ...]
    found: int
    nothing: tuple[str, ...]
    truncated: bool
    reason: str | None


class Reliability(Record):
    """How far the predictions of an answer can be relied on; all null where no model answers.

    Attributes:
        model: what predicts: ``student``, ``foundation, not trained on this graph``, or
            ``foundation, pre-trained on facts of this graph``.
        abstain_below: ``probability_if_any`` under which a prediction is a guess.
        base_rate: share of true ones among the answers that probabilities were fitted on; null
            where there were too few to fit anything.
        calibration_error: mean gap between probability and truth on held-out facts; null where
            the model was not evaluated.
        guesses: how many of the listed facts are guesses.
        truncated: whether something was cut, as by the deadline.
        reason: what was cut; where nothing was and nothing is listed, why not.
    """

    model: str | None
    abstain_below: float | None
    base_rate: float | None
    calibration_error: float | None
    guesses: int | None
    truncated: bool
    reason: str | None


class Origin(Record):
    """Where a statement came from.

    Attributes:
        load: its id.
        source: what the file is called.
        row: number of the record in the load, 1-based; of several tables it counts on.
        place: the row in words: ``line 12``, ``$.ranges[2]``, ``sheet People, row 4``.
        merged_from: IRIs that the source has where the statement, since a merge, has another.
    """

    load: str
    source: str
    row: int
    place: str
    merged_from: tuple[str, ...] = ()


class Qualifier(Record):
    """What a statement of a fact says about itself: a rating, a year, a publication.

    Attributes:
        key: CURIE (or IRI).
        value: a number where its datatype is one of numbers; of a thing its CURIE (or IRI).
        datatype: its IRI; null where the value is a thing.
        origin: of the statement.
    """

    key: str
    label: str
    value: str | int | float
    datatype: str | None
    language: str | None
    origin: Origin


class Step(Record):
    """One fact of a path.

    Attributes:
        forward: walked from its head (``source``) to its tail.
        origins: where it is stated.
        qualifiers: what those statements say about themselves.
    """

    source: EntityRef
    relation: Ref
    forward: bool
    target: EntityRef
    origins: tuple[Origin, ...]
    qualifiers: tuple[Qualifier, ...]


class Path(Record):
    """A path of stated facts, in one line and step by step.

    Attributes:
        score: as in ``graph.paths``.
        metapath: its relations without the entities.
    """

    text: str
    steps: tuple[Step, ...]
    score: float
    metapath: str
    length: int


class Rule(Record):
    """A Horn rule that was mined from the graph.

    Attributes:
        text: ``(X, lives in, Y) ← (X, works at, A), (A, located in, Y)``.
        confidence: share of the pairs its body joins that are facts, by Laplace's rule; ``low`` and
            ``high`` are the ends of its interval of 95 %.
        support, pairs: how many of how many.
        head_coverage: share of the facts of its head that it gives.
        sampled: share of the body's first entities that were looked at to count; 1: all.
    """

    text: str
    confidence: float
    low: float
    high: float
    support: int
    pairs: int
    head_coverage: float
    sampled: float


class Reason(Record):
    """A rule that gives a fact, and the best walks over stated facts in which it does.

    Attributes:
        paths: of a closed rule from head to tail; of one with constants the fact it speaks of.
        count: how many there are, as far as was looked.
    """

    rule: Rule
    paths: tuple[Path, ...]
    count: int


class Fact(Record):
    """A fact, stated, inferred, extracted from a text, or predicted.

    Attributes:
        direction: as read from the entity asked about; null where two were.
        probability: chance that a predicted fact is true, as an answer to the question of the
            entity asked about, and of the head where two were; it counts the chance that there is
            one more answer at all (``chance_of_another``). The question of the other end may give
            it another chance: ``explain`` shows both. Null unless predicted.
        probability_if_any: chance that it is true given that there is one more answer: that an
            answer ranked here with this score was a held-out true fact (closed world), calibrated
            per relation; null unless predicted.
        abstain: ``probability_if_any`` is below the model's threshold; do not rely on it.
        rank: 1-based place in the list; null where the list is not ranked.
        score: what the model says before calibration; comparable within one relation and list
            only. Null where the model does not know a stated fact or was not asked about it.
        surprising: bits that the model adds over popularity; see ``ModelView.surprise``. Null
            unless predicted.
        support: up to three paths of stated facts between head and tail.
        support_note: what to know about the support, such as "no support found", or "the reverse
            is stated" where only the direction of a stated fact is new; of an inferred fact, the
            facts it follows from.
        rule: the surest mined rule that gives a predicted fact, with the facts in which it does.
        graph_chance: what the surest five rules say of it, as ``explain`` does; null where none
            gives it.
        origins: where a stated fact is stated, and an extracted one read.
        qualifiers: what those statements say about themselves.
    """

    head: EntityRef
    relation: Ref
    tail: EntityRef
    direction: Literal["out", "in"] | None
    status: Literal["stated", "inferred", "extracted", "predicted"]
    probability: float | None
    probability_if_any: float | None
    abstain: bool
    rank: int | None
    score: float | None
    surprising: float | None
    support: tuple[Path, ...]
    support_note: str | None
    rule: Reason | None
    graph_chance: float | None
    origins: tuple[Origin, ...]
    qualifiers: tuple[Qualifier, ...]


class MetapathStep(Record):
    """One relation of a shape. ``forward``: it is walked from head to tail."""

    relation: Ref
    forward: bool


class Metapath(Record):
    """All paths of one shape taken together, and whether chance would connect the two so well.

    Attributes:
        score: degree-weighted path count; ``expected`` is its mean over graphs in which every
            entity has as many edges of each relation, with others at their ends.
        p_value: share of such graphs that score as high; null where it was not tested. Of two sets
            it is that of the pair which chance explains least, times the number of pairs
            (Bonferroni); score, count and expected are of all pairs that were looked at.
        q_value: the share of false ones among all shapes that seem as unlikely (Benjamini and
            Hochberg), of all the shapes that are possible between the two.
        resolution: the lowest p-value that could come out.
        note: what was counted, or why nothing was, in words.
    """

    metapath: str
    steps: tuple[MetapathStep, ...]
    score: float
    count: int
    expected: float | None
    p_value: float | None
    q_value: float | None
    resolution: float | None
    note: str


class Surprise(Record):
    """A new fact.

    Attributes:
        connection: of the shapes of paths between its ends the one that chance explains least;
            null where there is none.
    """

    fact: Fact
    connection: Metapath | None


class LeftOut(Record):
    """How many predictions are not listed for one reason."""

    why: str
    facts: int


class Forbidden(Record):
    """A prediction that cannot hold, and the constraint that says so, which all facts keep."""

    head: EntityRef
    relation: Ref
    tail: EntityRef
    constraint: str


class Surprising(Reliability, Table, Graph):
    """What is new and worth a line.

    Attributes:
        asked: about how many entities the model was asked, of ``entities``.
        left_out: what was predicted and is not listed, by reason; the first that holds counts.
        forbidden: some of what a constraint takes away.
    """

    asked: int
    entities: int
    surprising: tuple[Surprise, ...]
    left_out: tuple[LeftOut, ...]
    forbidden: tuple[Forbidden, ...]


class Found(EntityRef):
    """An entity of a list.

    Attributes:
        degree: its facts in the whole graph.
        extracted: what texts state of it besides, as far as they were read.
        how: how its name matched what was searched for; null in a list of all.
    """

    degree: int
    extracted: int
    how: Literal["exact", "prefix", "word", "typo"] | None


class EntityPage(Record, Table):
    """Entities, and where the next page starts; null at the end.

    Attributes:
        total: how many are listed over all pages; null for a search, which ranks no further than
            its pages reach.
    """

    entities: tuple[Found, ...]
    next: str | None
    total: int | None


class Attribute(Record):
    """A literal of an entity, with its sources.

    ``role``: what it is to the entity, by its property: one of its names, something that it is
    identified by, a description, or any other value.
    """

    property: Ref
    value: str
    datatype: str
    language: str | None
    origins: tuple[Origin, ...]
    role: Literal["label", "alias", "identifier", "description", "value"]


class DegreeCount(Record):
    """How many under one relation, read in one direction."""

    relation: Ref
    direction: Literal["out", "in"]
    count: int


class LoadRef(Record):
    """A load and the source it was read from."""

    load: str
    source: str


class Merge(Record):
    """A name that an entity had beside its own, until they were merged.

    Attributes:
        id: CURIE (or IRI) of the name that is gone.
        same_as: of that which the merge says it is.
        method: ``identified``: sources say so; ``compared``: by what they say of both.
        reasons: what speaks for it, and against it.
        origin: of the statement that says so.
    """

    id: str
    iri: str
    same_as: str
    probability: float
    method: str
    reasons: tuple[str, ...]
    origin: Origin


class Entity(Record, Table):
    """What the graph holds about one entity.

    Attributes:
        composed: where no description is stated, one made of its type and some of its facts.
        merged_from: names that it had beside its own, until they were merged.
        known_to_model: the model was trained on it.
        predictable: the model answers about it, if need be by its edges alone.
    """

    entity: EntityRef
    attributes: tuple[Attribute, ...]
    degrees: tuple[DegreeCount, ...]
    types: tuple[Ref, ...]
    description: str | None
    composed: str | None
    loads: tuple[LoadRef, ...]
    merged_from: tuple[Merge, ...]
    known_to_model: bool
    predictable: bool


class Related(Reliability, Table, Graph):
    """What is related to an entity."""

    entity: EntityRef
    related: tuple[Fact, ...]


class Neighbour(Record):
    """An entity near another in the learned space; ``similarity`` is a cosine, -1 to 1."""

    entity: EntityRef
    similarity: float


class Similar(Record, Table):
    """What is similar to an entity; ``reason`` says why nothing is, where nothing is."""

    entity: EntityRef
    similar: tuple[Neighbour, ...]
    reason: str | None


class Node(EntityRef):
    """An entity of a neighbourhood; ``degree`` counts its facts in the whole graph."""

    degree: int


class Link(Record):
    """A fact between two nodes; ``source`` and ``target`` are ids of nodes or of what was excluded.

    Attributes:
        probability, probability_if_any: as of a ``Fact``; null unless predicted.
        origins: where a stated fact is stated, and an extracted one read.
    """

    source: str
    relation: Ref
    target: str
    status: Literal["stated", "inferred", "extracted", "predicted"]
    probability: float | None
    probability_if_any: float | None
    origins: tuple[Origin, ...]


class Neighborhood(Record, Table, Graph):
    """The graph around an entity.

    Attributes:
        edges: every fact between two of the nodes, or a node and what was excluded, of the
            relations asked for; then predicted ones, likeliest first; then extracted ones.
        truncated: facts were left out, or predictions or extracted facts were.
        omitted: facts left out, of nodes nearer than the last hop, by relation and direction as
            read from the node that is shown.
        abstain_below: chance, given one more answer, below which a prediction is a guess; null
            where nothing was predicted.
        reason: what there was no time for, or why nothing could be predicted.
    """

    center: EntityRef
    nodes: tuple[Node, ...]
    edges: tuple[Link, ...]
    truncated: bool
    omitted: tuple[DegreeCount, ...]
    abstain_below: float | None
    reason: str | None


class Paths(Record, Table, Graph):
    """How two entities, or two sets of them, are connected.

    Attributes:
        source, target: the entities that paths were looked for between, at most ``MAX_ENDS`` of a
            set; best connected first where they are of a type.
        reason: what was cut when ``truncated``; else why there is no path, where there is none, or
            how long paths are because there is no shorter one.
    """

    source: tuple[EntityRef, ...]
    target: tuple[EntityRef, ...]
    paths: tuple[Path, ...]
    metapaths: tuple[Metapath, ...]
    found: int
    truncated: bool
    reason: str | None


class Background(Record):
    """What a list is compared with.

    Attributes:
        type: null for all entities.
        entities: how many there are, those without any fact among them.
        listed: how many of the list are among them.
        text: the same in words, and why.
    """

    type: Ref | None
    entities: int
    listed: int
    text: str


class SharedFeature(Record):
    """Something that several of the list have in common.

    Attributes:
        kind: a type, a relation to anything, a neighbour, a neighbour of neighbours (two steps), a
            property of any value, or one with its value.
        text: what it is, in one line.
        steps: the relations that lead to it.
        target: the entity that they lead to; null for a relation.
        what: the type or the property.
        value: of the property.
        count: how many of the list have it.
        expected: how many of as many entities chosen at random would.
        background_count: how many of the background do.
        fold: ``count`` over ``expected``.
        p_value: chance that so many or more of as many entities chosen at random have it.
        q_value: the share of false ones among all that seem as unlikely (Benjamini and Hochberg),
            of all that was tested.
        members: who of the list has it.
        paths: facts that say so of some of them, the most particular first.
        alike: what says the same of the same entities and is not listed; of so many, ``folded``,
            the first few.
    """

    kind: Literal["type", "relation", "neighbour", "two steps", "property", "value"]
    text: str
    steps: tuple[MetapathStep, ...]
    target: EntityRef | None
    what: Ref | None
    value: str | None
    count: int
    expected: float
    background_count: int
    fold: float
    p_value: float
    q_value: float
    members: tuple[EntityRef, ...]
    paths: tuple[Path, ...]
    alike: tuple[str, ...]
    folded: int


class Unresolved(Record):
    """A name that stands for no entity, or for several; ``nearest`` is what it may mean."""

    name: str
    problem: str
    nearest: tuple[str, ...]


class Enriched(Record, Table, Graph):
    """What a list has in common.

    Attributes:
        entities: those that were compared.
        shared: what several of them have, and as many chosen at random would have with p <= 0.05.
        significant: how many things have a q-value of at most 0.05, listed or not.
        tests: how many things two or more of the background have; each could have stood out.
        more_like_these: others of the background that the model puts nearest to them.
        outside: entities of the list that are not of the background, and were left out.
        unresolved: names that were left out.
        notes: what to know about the answer.
        reason: what was cut when ``truncated``.
    """

    entities: tuple[EntityRef, ...]
    background: Background
    shared: tuple[SharedFeature, ...]
    significant: int
    tests: int
    more_like_these: tuple[Neighbour, ...]
    outside: tuple[EntityRef, ...]
    unresolved: tuple[Unresolved, ...]
    notes: tuple[str, ...]
    truncated: bool
    reason: str | None


class ClassCount(Record):
    """A type and how many entities have it; ``type`` is null for entities without one."""

    type: Ref | None
    entities: int


class Trait(Record):
    """What many of a community have: ``count`` of them, ``background_count`` of all entities, which
    is ``fold`` times as many as by chance.
    """

    text: str
    count: int
    background_count: int
    fold: float


class Community(Record):
    """Entities that have more to do with each other than with the rest.

    Attributes:
        number: 1 for the largest.
        name: its types and its most central entity, in words.
        entities: how many.
        types: the most frequent.
        central: those with the most facts within it, hubs counting less.
        in_common: what sets it apart from all other entities. No p-value: it was made from these
            very facts, so that nothing about it is chance.
    """

    number: int
    name: str
    entities: int
    types: tuple[ClassCount, ...]
    central: tuple[EntityRef, ...]
    in_common: tuple[Trait, ...]


class CommunityLink(Record):
    """How many facts lead from an entity into a community."""

    community: int
    name: str
    facts: int


class Bridge(Record):
    """An entity that joins communities.

    Attributes:
        participation: 0 where all its facts lead into one community, near 1 where they lead into
            many alike (Guimerà and Amaral 2005).
        usual: the mean of that among entities of its type with about as many facts; of any type
            where it has few.
        communities: into how many they lead; ``links`` are the first few of them.
    """

    entity: EntityRef
    participation: float
    usual: float
    communities: int
    links: tuple[CommunityLink, ...]


class Communities(Record, Table):
    """The communities of the graph.

    Attributes:
        found: how many there are.
        modularity: share of facts within communities, less what it would be by chance.
        alone: entities without a fact that joins them to another; they are in none.
        reason: what was cut when ``truncated``.
    """

    communities: tuple[Community, ...]
    bridges: tuple[Bridge, ...]
    found: int
    modularity: float
    alone: int
    truncated: bool
    reason: str | None


class OverviewEntity(EntityRef):
    """An entity of it.

    Attributes:
        degree: facts in the whole graph.
        community: the number of its community; 0 for one without facts.
    """

    degree: int
    community: int


class OverviewCommunity(Record):
    """A community: its number, what it is called, its most central entity, and how many it has."""

    number: int
    name: str
    central: str
    entities: int


class Overview(Record, Table, Graph):
    """A part of the graph, and of how much.

    Attributes:
        source, relation, target: of each fact, as positions in ``entities`` and ``relations``.
        inferred: the positions, among the facts, of those that no source states.
        all_entities, all_facts: how many the graph holds, facts that say the same counted once.
        reason: what was cut when ``truncated``.
    """

    entities: tuple[OverviewEntity, ...]
    relations: tuple[Ref, ...]
    communities: tuple[OverviewCommunity, ...]
    source: tuple[int, ...]
    relation: tuple[int, ...]
    target: tuple[int, ...]
    inferred: tuple[int, ...]
    all_entities: int
    all_facts: int
    truncated: bool
    reason: str | None


class PredictionQuestion(Record):
    """A fact with one gap: two of head, relation and tail, each an IRI, a CURIE or a label."""

    head: str | None = None
    relation: str | None = None
    tail: str | None = None
    k: int | None = None
    new_only: bool = False
    coverage: float | None = None
    deadline_ms: int = 1000


class Predictions(Reliability, Table, Graph):
    """Ranked answers to one question.

    Attributes:
        known: how many answers the graph states; null, as the next two, of a missing relation.
        possible: how many entities may be a further one, by their types.
        set_size: how many answers the set of the ``coverage`` has, of which at most 1000 are given;
            null where none is asked for.
    """

    known: int | None
    possible: int | None
    set_size: int | None
    predictions: tuple[Fact, ...]


class Chances(Record):
    """What the model says of a fact that is not stated, as the answer to one question.

    Attributes:
        probability, probability_if_any, abstain: as in ``records.Fact``.
    """

    probability: float
    probability_if_any: float
    abstain: bool


class Faithfulness(Record):
    """How far a model's score of a fact rests on the facts that support it.

    Attributes:
        fall: by how much the score falls where those are not read: of the natural logarithm of the
            fact's share among all answers, the mean over both ends.
        others: the mean fall where other facts are not read: as many, of the same relations, each
            between entities of like degrees.
        draws: how often others were drawn.
        facts: how many facts were not read.
    """

    fall: float
    others: float
    draws: int
    facts: int


class Explanation(Record, Table, Graph):
    """Why a fact.

    Attributes:
        status: ``unknown`` where neither the graph nor the model says anything of it; ``note`` says
            why.
        origins: where it is stated, or read.
        qualifiers: of a fact extracted from a text its sentence, confidence and method.
        premises: of an inferred fact the rule and the facts it follows from.
        probability, probability_if_any, abstain: what the model says of a fact that is not stated,
            as in ``records.Fact``: of the tail as an answer to ``(head, relation, ?)``, the numbers
            of every list that was asked of the head. Null where the model does not know the tail.
        from_tail: the same of the head as an answer to ``(?, relation, tail)``, the numbers of
            lists that were asked of the tail; null where the model does not know the head, and of
            what is not predicted.
        graph_chance: what the rules say of it, the noisy-or of the lower ends of the intervals of
            the surest five: the model has no part in it. Null where no rule gives it.
        reasons: those rules, the surest first, with the facts in which they give it.
        support: the best paths between its ends besides itself, whether by a rule or not.
        support_note: such as "no support found".
        faithfulness: how far the model's score rests on the facts of the reasons and the support;
            null where that was not measured. The note says it in words, or why not.
        reason: what was cut when ``truncated``.
    """

    head: EntityRef
    relation: Ref
    tail: EntityRef
    status: Literal["stated", "inferred", "extracted", "predicted"] | Literal["unknown"]
    note: str | None
    origins: tuple[Origin, ...]
    qualifiers: tuple[Qualifier, ...]
    premises: str | None
    probability: float | None
    probability_if_any: float | None
    abstain: bool
    from_tail: Chances | None
    graph_chance: float | None
    reasons: tuple[Reason, ...]
    support: tuple[Path, ...]
    support_note: str | None
    faithfulness: Faithfulness | None
    faithfulness_note: str
    truncated: bool
    reason: str | None


class Edge(Record):
    """A fact about the new entity: its relation and what is at the other end, by IRI, CURIE or
    label; direction `out`: the new entity is the head of the fact, `in`: it is the tail.
    """

    relation: str
    entity: str
    direction: Literal["out", "in"] = "out"


class Inductive(Reliability, Table, Graph):
    """Predicted facts about an entity that the graph does not hold, and how many of its edges they
    rest on: those whose relation the model knows.
    """

    edges_used: int
    related: tuple[Fact, ...]


class Atom(Record):
    """One condition: a link (`head`, `relation`, `tail`), a type (`head`, `type`), a value (`head`,
    `property`, `sign`, `value`), or that two are not the same (`head`, `sign` !=, `tail`).
    """

    head: str
    relation: str | None = None
    tail: str | None = None
    type: str | None = None
    property: str | None = None
    sign: Literal["=", "!=", "<", "<=", ">", ">="] | None = None
    value: int | float | str | None = None
    negated: bool = False
    likely: bool = False


class Condition(Record):
    """One condition as it was understood.

    Attributes:
        text: by labels.
        alone: pairs, or entities, of the graph that meet it alone; null where that is not counted.
        asked: the end that the model was asked about, where it was.
    """

    text: str
    negated: bool
    likely: bool
    alone: int | None
    asked: Literal["head", "tail"] | None


class Row(Record):
    """One answer.

    Attributes:
        values: one per variable, in their order.
        probability: the product of the chances of the predicted facts, as if they did not depend on
            each other; null where the graph states everything.
        predicted: numbers of the conditions, from 1 on, that rest on predictions.
        facts: of each condition on a link, in their order; of the variables that are not shown the
            likeliest ones. Patterns and ? have none.
    """

    values: tuple[EntityRef, ...]
    probability: float | None
    predicted: tuple[int, ...]
    facts: tuple[Fact, ...]


class Answers(Reliability, Table, Graph):
    """What meets all conditions.

    Attributes:
        found: how many answers there are; where ``truncated``, how many were found.
        next: cursor of the next page.
        note: why there is no answer.
    """

    variables: tuple[str, ...]
    conditions: tuple[Condition, ...]
    rows: tuple[Row, ...]
    found: int
    next: str | None
    note: str | None


class Relation(Record):
    """A relation and how it is used.

    ``cardinality``: ``1:1``, ``1:N``, ``N:1`` or ``N:M``, heads before tails; a side is N where an
    entity has 1.5 or more partners on average (Bordes et al. 2013, NIPS, section 4.2).

    Attributes:
        symmetric: an ontology says that it holds both ways.
        inverse_label: how it reads from its tail: what the data calls that (inverseSingular), else
            the label of the relation that is declared its inverse; null without either.
    """

    relation: Ref
    edges: int
    heads: int
    tails: int
    cardinality: str
    symmetric: bool
    inverse_label: str | None


class RelationPage(Record, Table):
    """Relations, where the next page starts, null at the end, and how many there are."""

    relations: tuple[Relation, ...]
    next: str | None
    total: int


class SchemaLink(Record):
    """How many facts of a relation run from one type to another; null: without a type."""

    source: Ref | None
    relation: Ref
    target: Ref | None
    count: int


class Schema(Record, Table, Graph):
    """The graph of types."""

    types: tuple[ClassCount, ...]
    links: tuple[SchemaLink, ...]


class Choice(Record):
    """A column that a table can have.

    Attributes:
        key: what ``columns``, ``sort`` and ``filter`` call it.
        sort: whether it is an attribute or a relation read from head or from tail.
        filled: rows that have a value, of all of the type.
    """

    key: str
    ref: Ref
    sort: Literal["attribute", "out", "in"]
    filled: int


class TableColumn(Choice):
    """A column of a table, and what is in it; of the rows that the filter lets through.

    Attributes:
        numeric: its values are numbers.
        many: a row has several values on average.
        distinct: different values.
        low, high, total: of a numeric one; null where it has no values.
        histogram: of a numeric one, rows in equal steps from low to high.
    """

    numeric: bool
    many: bool
    distinct: int
    low: float | None
    high: float | None
    total: float | None
    histogram: tuple[int, ...]


class Cell(Record):
    """What one entity has in one column.

    Attributes:
        count: how many values; none are stated where it is 0.
        values: the first, as text; of a relation the labels.
        entities: of a relation the first.
        number: of a numeric column the first value.
    """

    count: int
    values: tuple[str, ...]
    entities: tuple[EntityRef, ...]
    number: float | None


class TableRow(Record):
    """An entity, how many facts it has, and a cell for every column."""

    entity: EntityRef
    facts: int
    cells: tuple[Cell, ...]


class TypeTable(Record, Table):
    """A type as a table.

    Attributes:
        columns: those that are shown; ``available``: all that there are, the fullest first.
        entities: how many have the type; ``found``: of these, how many the filter lets through.
        truncated, reason: whether only some of the entities were looked at, and which.
    """

    type: Ref
    columns: tuple[TableColumn, ...]
    available: tuple[Choice, ...]
    rows: tuple[TableRow, ...]
    entities: int
    found: int
    next: str | None
    truncated: bool
    reason: str | None


class Example(Record):
    """A question that the graph can answer.

    Attributes:
        sort: which kind of answer it leads to.
        text: the question; ``names`` are the parts of it that are taken from the graph.
        answer: the answer in a few words; null where that is dear to know.
        entities, relation, type: what it is about.
    """

    sort: Literal["connect", "ask", "related", "table", "similar", "check"]
    text: str
    names: tuple[str, ...]
    answer: str | None
    entities: tuple[EntityRef, ...]
    relation: Ref | None
    type: Ref | None


class Examples(Record, Table):
    """Questions, one of each sort."""

    examples: tuple[Example, ...]


class Statement(Record):
    """A statement; ``datatype`` is None where ``object`` is an IRI."""

    subject: str
    predicate: str
    object: str
    datatype: str | None = None
    language: str | None = None


class Patch(Record):
    """How to mend a finding.

    Attributes:
        sparql: SPARQL Update text, for where the data comes from.
        retracts: statements that a load of retractions takes back, as ``doctor --apply`` writes it;
            empty where taking back is no cure.
    """

    sparql: str
    retracts: tuple[Statement, ...]


class Affected(Record):
    """What goes with the facts that a patch takes back.

    Attributes:
        paths: of two steps, one of which is such a fact.
        alone: entities that no other fact is about.
    """

    paths: int
    alone: tuple[EntityRef, ...]


class Finding(Record):
    """Something that looks wrong.

    Attributes:
        id: of what it names; the same in every snapshot.
        certainty: chance that it is wrong, 0 to 1, as far as the graph says.
        facts: the evidence, with its sources.
        extracted: the fact of a text that it is about, with its sentence; null of what the graph
            holds.
        patch: null where the graph does not say what is wrong.
        affected: which answers lose something by it; null where it takes no fact back.
        load: of an accepted patch, which the graph that is served does not know yet.
    """

    id: str
    kind: Literal[
        "contradiction",
        "merged",
        "implausible",
        "duplicate relation",
        "split",
        "leakage",
        "unlabelled",
        "isolated",
        "violation",
        "misread",
    ]
    severity: Literal["high", "medium", "low"]
    certainty: float
    why: str
    entities: tuple[EntityRef, ...]
    relations: tuple[Ref, ...]
    facts: tuple[Step, ...]
    extracted: Fact | None
    patch: Patch | None
    affected: Affected | None
    state: Literal["open", "accepted", "ignored"]
    load: str | None


class FindingCount(Record):
    """How many findings of one kind."""

    kind: Literal[
        "contradiction",
        "merged",
        "implausible",
        "duplicate relation",
        "split",
        "leakage",
        "unlabelled",
        "isolated",
        "violation",
        "misread",
    ]
    findings: int


class StateCount(Record):
    """How many findings of the kinds asked for are in a state."""

    state: Literal["open", "accepted", "ignored"]
    findings: int


class Diagnosis(Record, Table, Graph):
    """What looks wrong.

    Attributes:
        total: findings of the kind and state asked for; of each kind at most 1000 are kept.
        counts: of each kind in that state; ``states``: of each state, of that kind.
        reason: what was not looked at, and why: what was left out where ``truncated``, or too few
            facts.
    """

    findings: tuple[Finding, ...]
    total: int
    counts: tuple[FindingCount, ...]
    states: tuple[StateCount, ...]
    truncated: bool
    reason: str | None


class MergedEntity(Record):
    """An entity that others were merged into.

    Attributes:
        merged_from: the names that are gone, the least certain first, ``limit`` at most.
        names: how many these are in all.
    """

    entity: EntityRef
    merged_from: tuple[Merge, ...]
    names: int


class Merges(Record, Table):
    """What was merged.

    Attributes:
        total: names that are gone, of all of those asked for.
    """

    merges: tuple[MergedEntity, ...]
    total: int


class Stats(Record, Table):
    """The size of what is served, and which snapshot and model it is.

    Attributes:
        extracted: facts that texts state and the graph lacks; none of the edges.
        inferred: those of the edges that no source states.
        hits_at_10: share of the held-out facts that the model found in its first ten answers; null
            where it was not evaluated.
    """

    snapshot: str
    model: str | None
    entities: int
    relations: int
    edges: int
    extracted: int
    inferred: int
    hits_at_10: float | None
    loads: tuple[LoadRef, ...]
    types: tuple[ClassCount, ...]


class Pair(Record):
    """A snapshot and the model that answered beside it; null where there was none."""

    snapshot: str
    model: str | None


class Amount(Record):
    """How many came and went."""

    added: int
    removed: int


class Change(Record):
    """How many facts of something came and went."""

    iri: str
    label: str
    added: int
    removed: int


class ChangedFact(Record):
    """A fact that came or went; ``text`` says it by labels, ``inferred`` that no load states it."""

    statement: Statement
    text: str
    inferred: bool


class ChangedAnswer(Record):
    """A predicted fact that is judged otherwise than before.

    Attributes:
        change: ``confirmed``: it was predicted and is stated now; ``withdrawn``: the other way
            round; ``appeared``, ``vanished``: its chance passed the least that is listed; ``rose``,
            ``fell``.
        before, after: its chance; null where the graph stated it, or nothing was predicted.
        because: facts at its ends that came (+) or went (-).
    """

    head: EntityRef
    relation: Ref
    tail: EntityRef
    change: Literal["confirmed", "withdrawn", "appeared", "vanished", "rose", "fell"]
    before: float | None
    after: float | None
    because: tuple[str, ...]


class Changes(Record, Table, Graph):
    """What changed from one snapshot to another.

    Attributes:
        entities, edges, types, attributes: how many came and went in all, or of those asked about.
        relations: relations, properties and types with a changed fact, most changed first.
        most_changed: entities, most changed first.
        added, removed: facts: links, then types, then values.
        extracted: how many facts texts state that came and went; they count nowhere else. One that
            is a link since went.
        extracted_added, extracted_removed: those, the surest first, with sentence and confidence.
        answers: what the models say otherwise, the largest change first.
        compared: about how many entities the models were asked.
        noise: how much the chance of an answer changes where nothing changed around it: 95 of 100
            change less. Only answers that changed more than that, and by .02, are listed.
        reason: what was cut when ``truncated``.
        note: why answers were not compared, or what to know about them.
    """

    old: Pair
    new: Pair
    entities: Amount
    edges: Amount
    types: Amount
    attributes: Amount
    extracted: Amount
    relations: tuple[Change, ...]
    most_changed: tuple[Change, ...]
    added: tuple[ChangedFact, ...]
    removed: tuple[ChangedFact, ...]
    extracted_added: tuple[Fact, ...]
    extracted_removed: tuple[Fact, ...]
    answers: tuple[ChangedAnswer, ...]
    compared: int
    noise: float | None
    truncated: bool
    reason: str | None
    note: str | None


class ReportFile(Record):
    """A file of a finished report."""

    name: str
    href: str
    bytes: int


class ReportView(Record):
    """A report and where it stands.

    Attributes:
        title: what it is about, in a line.
        about: IRIs of its entities.
        changed: when it was last heard of, as ISO 8601.
        done, total: entities written, and how many there are; 0 while that is not known.
        left: seconds until they are, once that can be told.
        headline, likely: what it found, in a line, and how many facts it predicts that are no
            guesses; null before it is done.
        error: why it failed.
    """

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    title: str
    about: tuple[str, ...]
    created: str
    changed: str
    done: int
    total: int
    left: float | None
    headline: str | None
    likely: int | None
    files: tuple[ReportFile, ...]
    error: str | None


class ReportPage(Record, Table):
    """Reports, where the next page starts, null at the end, and how many there are."""

    reports: tuple[ReportView, ...]
    next: str | None
    total: int


class JobView(Record):
    """A job and where it stands.

    Attributes:
        kind: `report`, `ingest`, `compile` or `training`.
        asked: what was asked for.
        attempts: how often it was begun.
        changed: when it was last heard of, as ISO 8601.
        stage: what is being done, or for what it waits.
        done, total: steps of the stage done, and how many there are; 0 while that is not known.
        left: seconds until the end of the stage, once that can be told.
        result: what came of it.
        error: why it failed.
    """

    id: str
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    asked: Mapping[str, Any]
    attempts: int
    created: str
    changed: str
    stage: str | None
    done: int
    total: int
    left: float | None
    result: Mapping[str, Any] | None
    error: str | None


class JobPage(Record, Table):
    """A page of jobs, where the next page starts, null at the end, and how many there are."""

    jobs: tuple[JobView, ...]
    next: str | None
    total: int


class RawCell(Record):
    """A column of a record, and what it holds: several values where the source has several."""

    column: str
    values: tuple[str, ...]


class MadeFact(Record):
    """A fact that a record states, and the columns that it was made of, as far as known."""

    subject: str
    predicate: str
    object: str
    datatype: str | None
    language: str | None
    columns: tuple[str, ...]


class RawRecord(Record, Table):
    """A record as it stands in its source, and the facts that it states.

    Attributes:
        row, place: its number in the load, and what people call it.
        key: the columns that name its subject.
        raw: its text.
    """

    load: str
    source: str
    row: int
    place: str
    key: tuple[str, ...]
    cells: tuple[RawCell, ...]
    raw: str
    facts: tuple[MadeFact, ...]


class Decision(Record):
    """A finding after something was decided about it.

    Attributes:
        next: the command that makes it count; null where nothing more is to be done.
    """

    finding: Finding
    next: str | None


class ServedPair(Record):
    """What answers, or did; ``loads`` are those that its snapshot was compiled from."""

    snapshot: str
    model: str | None
    loads: tuple[str, ...]


class Pairs(Record):
    """What is served, and what was before and can be again, the last one first."""

    served: ServedPair | None
    former: tuple[ServedPair, ...]


class Health(Record):
    """Whether the service can answer, from what, and what it lacks."""

    status: str
    snapshot: str | None = None
    model: str | None = None
    detail: str | None = None
    missing: tuple[str, ...] = ()
