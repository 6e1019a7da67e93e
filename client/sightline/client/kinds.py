# mypy: disable-error-code="empty-body"
"""One method for every kind of answer, with its arguments.

Made by ``client/generate.py`` of the declared kinds of answer; not to be changed by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sightline.client.answers import awaited, question, several
from sightline.client.errors import Problem
from sightline.client.records import (
    Answers,
    Atom,
    Changes,
    Communities,
    Diagnosis,
    Edge,
    Enriched,
    Entity,
    EntityPage,
    Examples,
    Explanation,
    Inductive,
    Insights,
    Merges,
    Neighborhood,
    Overview,
    Paths,
    PredictionQuestion,
    Predictions,
    Related,
    RelationPage,
    Schema,
    Similar,
    Stats,
    Surprising,
    TypeTable,
)


class Kinds:
    """The questions that can be asked. Every error is a ``Problem``."""

    @question("GET", "/v1/insights")
    def insights(self, *, limit: int = 10, deadline_ms: int = 20000) -> Insights:
        """The findings of a graph that are most worth a look, over all kinds and without a
        question: a likely error, a likely missing fact, a fact that a text states and no table,
        a connection that chance does not explain, what a few entities have in common, an entity
        that joins communities, a change.

        Each comes with a line of why, and the command that shows more.

        Of each sort the strongest, then of each the second.

        Args:
            limit: How many findings, 1 to 50.
            deadline_ms: Answer after this many milliseconds, 1 to 60000.
        """

    @question("GET", "/v1/surprising", "about")
    def surprising(
        self,
        about: Sequence[str] = (),
        *,
        relation: str | None = None,
        k: int = 10,
        deadline_ms: int = 10000,
    ) -> Surprising:
        """New facts that are worth a line: likely enough, with a reason in the graph, and not
        likely because an end is popular alone.

        A rule gives each, or paths that chance does not explain join its ends; none breaks a
        constraint that all stated facts keep. What is likeliest by the graph's rules comes
        first, less the share of its chance that popularity explains, and a little less for each
        fact of the same relation and types before it: the model's chance is a share among all
        answers, so that of many right ones each has little. Of several facts about the same two
        entities it is the best.

        The most surprising first.

        Args:
            about: Only facts about these; else the best connected of each type in turn are asked.
            relation: Only this relation.
            k: How many answers, 1 to 1000.
            deadline_ms: Answer after about so many milliseconds, by what was asked by then, 1 to
                60000.
        """

    @question("GET", "/v1/entities")
    def entities(
        self,
        q: str | None = None,
        *,
        type: str | None = None,
        limit: int = 10,
        cursor: str | None = None,
    ) -> EntityPage:
        """Find entities by name, or list them.

        Best first.

        Args:
            q: A label, an IRI or a CURIE, or how a word of the label begins; one typo is forgiven.
                Without it entities are listed, by IRI.
            type: Only entities of this type.
            limit: How many on one page, 1 to 1000.
            cursor: `next` of the page before; none for the first.
        """

    @question("GET", "/v1/entities/{id}")
    def entity(self, id: str) -> Entity:
        """What the graph holds about one entity; its facts as counts.

        Labels, types, attributes, degrees.

        Args:
            id: An IRI, a CURIE such as entity:Q42, or a label.
        """

    @question("GET", "/v1/entities/{id}/related")
    def related(
        self,
        id: str,
        *,
        relation: str | None = None,
        direction: Literal["both", "out", "in"] = "both",
        k: int = 10,
        known: bool = True,
        extracted: bool = True,
        predicted: bool = True,
        where: Sequence[str] = (),
        deadline_ms: int = 1000,
    ) -> Related:
        """What is related to an entity: stated facts and predicted ones, marked as such.

        At most k stated facts, then at most k extracted from texts, the surest first, then at
        most k predicted ones. Stated facts take turns over relations, the rarer neighbours
        first; predicted ones come by probability. A longer list begins with the shorter one.
        Where the model cannot be asked the stated facts are the answer, as they are where facts
        must say something of themselves. A model that reads the graph for each question has a
        deadline.

        Stated facts first.

        Args:
            id: An IRI, a CURIE such as entity:Q42, or a label.
            relation: Only this relation.
            direction: out: the entity is the head of the fact; in: it is the tail.
            k: How many answers, 1 to 1000.
            known: Show what the graph states.
            extracted: Show what texts state, as it was extracted.
            predicted: Show what the model predicts.
            where: Only facts whose source says so of them: `rating>=4`, `year<=1999`,
                `source=IMDb`, or the same as `min_rating=4`, `max_year=1999`. Repeat for several.
            deadline_ms: Answer after about so many milliseconds, by what was asked by then, 1 to
                60000.
        """

    @question("GET", "/v1/entities/{id}/similar")
    def similar(self, id: str, *, k: int = 10, same_type: bool = True) -> Similar:
        """The nearest entities in the learned space, by the cosine of their vectors, ties by id.

        Nearest first.

        Args:
            id: An IRI, a CURIE such as entity:Q42, or a label.
            k: How many answers, 1 to 1000.
            same_type: Only entities that share a type.
        """

    @question("GET", "/v1/entities/{id}/neighborhood")
    def neighborhood(
        self,
        id: str,
        *,
        hops: int = 1,
        limit: int = 50,
        relations: Sequence[str] = (),
        rank: Literal["rare", "relevance"] = "rare",
        per_relation: int = 1000,
        exclude: Sequence[str] = (),
        predicted: bool = False,
        extracted: bool = False,
        deadline_ms: int = 1000,
    ) -> Neighborhood:
        """The graph around an entity, hubs sampled fairly: to look at, or for another tool.

        The header Accept chooses the format.

        Args:
            id: An IRI, a CURIE such as entity:Q42, or a label.
            hops: How many facts away, 1 to 4.
            limit: How many entities, itself included, 1 to 1000.
            relations: Only these relations. Repeat for several.
            rank: What comes first in a relation. rare: what has the fewest facts; relevance: what
                is joined to the entity in most ways, those through hubs counting less.
            per_relation: The most entities of one relation, at each entity, 1 to 1000.
            exclude: What you have already: not among the nodes, but facts that join it with them
                are among the edges. Repeat for several.
            predicted: Add predicted facts of the entity that are no guesses, the likeliest.
            extracted: Add what texts state of the entity, the surest.
            deadline_ms: Answer after about so many milliseconds, by what was asked by then, 1 to
                60000.
        """

    @question("GET", "/v1/paths", "source", "target")
    def paths(
        self,
        source: Sequence[str],
        target: Sequence[str],
        *,
        max_hops: int | None = None,
        k: int = 10,
        include: Sequence[str] = (),
        include_mode: Literal["every", "any"] = "every",
        exclude: Sequence[str] = (),
        types: Sequence[str] = (),
        pattern: str | None = None,
        where: Sequence[str] = (),
        deadline_ms: int = 1000,
    ) -> Paths:
        """How two entities are connected: paths ranked so that hubs do not flood them.

        Either side may be a set. Each pair of two sets has its share of the time, and what is
        the best of all pairs comes first; shapes are counted over the pairs.

        Best first.

        Args:
            source: An IRI, a CURIE such as entity:Q42, or a label; or a type, which stands for its
                members. Repeat for several.
            target: An IRI, a CURIE such as entity:Q42, or a label; or a type, which stands for its
                members. Repeat for several.
            max_hops: Longest path in edges: 3, or as many as the nearest connection takes, or as
                said, 1 to 6.
            k: How many answers, 1 to 1000.
            include: Only these relations. Repeat for several.
            include_mode: every: each step is of a relation of `include`; any: at least one is.
            exclude: Not these relations. Repeat for several.
            types: Entities between have one of these types. Repeat for several.
            pattern: Relations to walk, in SPARQL's notation for property paths: `borders/capital`,
                `^capital/(borders|<member of>)*`.
            where: Only facts whose source says so of them: `rating>=4`, `year<=1999`,
                `source=IMDb`, or the same as `min_rating=4`, `max_year=1999`. Repeat for several.
            deadline_ms: Answer after this many milliseconds, 1 to 60000.
        """

    @question("POST", "/v1/sets:enrich")
    def enrich(
        self,
        entities: Sequence[str],
        *,
        type: str | None = None,
        k: int = 10,
        two_steps: bool = True,
        deadline_ms: int = 1000,
    ) -> Enriched:
        """What a list of entities has in common more than chance would: types, relations,
        neighbours, neighbours of neighbours, properties and values, with p-values and q-values.

        The list is compared with all entities of the type that most of it has. Names that stand
        for no entity or for several are reported, and the others answered.

        The least likely by chance first.

        Args:
            entities: Two or more, each an IRI, a CURIE such as entity:Q42, or a label.
            type: Compare with all entities of this type, not the smallest that most of them have.
            k: How many answers, 1 to 1000.
            two_steps: Look at neighbours of neighbours, too.
            deadline_ms: Answer after this many milliseconds, 1 to 60000.
        """

    @question("GET", "/v1/communities")
    def communities(
        self, *, k: int = 10, resolution: float = 1.0, seed: int = 0, deadline_ms: int = 5000
    ) -> Communities:
        """Groups of entities that have more to do with each other than with the rest, with what is
        central in them and what they have in common; and the entities that join them.

        The largest first.

        Args:
            k: How many answers, 1 to 1000.
            resolution: Above 1 for more and smaller communities, below for fewer, 0.1 to 10.
            seed: Seed of what is random in the search, 0 to 1000.
            deadline_ms: Answer after this many milliseconds, 1 to 60000.
        """

    @question("GET", "/v1/overview")
    def overview(
        self, *, limit: int = 1000, facts: int = 10000, deadline_ms: int = 5000
    ) -> Overview:
        """The best connected entities, the facts between them, and the communities they are in:
        the whole graph where it is small.

        The best connected first.

        Args:
            limit: Most entities, the best connected, 1 to 5000.
            facts: Most facts, hubs counting less, 0 to 20000.
            deadline_ms: Answer after this many milliseconds, 1 to 60000.
        """

    @question("POST", "/v1/predictions")
    def predict(
        self,
        *,
        head: str | None = None,
        relation: str | None = None,
        tail: str | None = None,
        k: int | None = None,
        new_only: bool = False,
        coverage: float | None = None,
        deadline_ms: int = 1000,
    ) -> Predictions:
        """What is missing: the likeliest answers to a fact with one gap, with what speaks for
        them.

        Give two of head, relation and tail. Missing heads and tails are ranked by the model's
        score, missing relations by probability. What the graph states already is marked, or
        left out. A model that reads the graph for each question has a deadline for missing
        relations.

        Likeliest first.

        Args:
            head: Leave out what is asked for.
            relation: Leave out what is asked for.
            tail: Leave out what is asked for.
            k: How many answers: 10, or as said, 1 to 1000.
            new_only: Only what the graph does not state.
            coverage: Instead of k: new answers that hold the true one with this probability, 0.01
                to 0.99.
            deadline_ms: Answer after about so many milliseconds, by what was asked by then, 1 to
                60000.
        """

    @several(predict)
    def predict_each(
        self, questions: Sequence[PredictionQuestion]
    ) -> tuple[Predictions | Problem, ...]:
        """As ``predict``, several questions at once; where one has none stands why."""

    @question("POST", "/v1/explain")
    def explain(
        self,
        head: str,
        relation: str,
        tail: str,
        *,
        k: int = 5,
        faithfulness: bool = False,
        deadline_ms: int = 1000,
    ) -> Explanation:
        """Why a fact holds, or may hold: where it is stated, what it follows from, which mined
        rules give it, each with the facts that fit it, and what the model says.

        What the graph says and what the model says stand beside each other and are never mixed.
        A fact is no reason for itself, nor is its statement the other way round.

        The surest rule first.

        Args:
            head: An IRI, a CURIE such as entity:Q42, or a label.
            relation: An IRI, a CURIE, or a label.
            tail: An IRI, a CURIE such as entity:Q42, or a label.
            k: How many answers, 1 to 1000.
            faithfulness: Measure how far the model's score rests on the support, within the
                deadline.
            deadline_ms: Answer after this many milliseconds, 1 to 60000.
        """

    @question("POST", "/v1/entities:infer")
    def inductive(
        self,
        edges: Sequence[Edge],
        *,
        relation: str | None = None,
        direction: Literal["both", "out", "in"] = "both",
        k: int = 10,
        deadline_ms: int = 1000,
    ) -> Inductive:
        """The likeliest facts about an entity that the graph does not hold, from a few of its
        edges.

        Likeliest first.

        Args:
            edges: Facts about it.
            relation: Ask about this relation; none: all that entities like it have.
            direction: out: the entity is the head of the fact; in: it is the tail.
            k: How many answers, 1 to 1000.
            deadline_ms: Answer after about so many milliseconds, by what was asked by then, 1 to
                60000.
        """

    @question("POST", "/v1/query")
    def query(
        self,
        text: str | None = None,
        *,
        atoms: Sequence[Atom] = (),
        show: Sequence[str] = (),
        above: float = 0.3,
        limit: int = 50,
        cursor: str | None = None,
        max_rows: int = 2000000,
        deadline_ms: int = 2000,
    ) -> Answers:
        """What meets several conditions at once: links, patterns of links, types and values, with
        variables for what is asked for.

        `not` says what the graph does not state. A condition that is `likely` may be predicted
        instead of stated; then an answer has a chance, and says which conditions rest on
        predictions.

        Likeliest first, then by id.

        Args:
            text: Conditions with commas between them: `?d treats ?x, ?d a Compound, ?c population
                > 1000000, not ?d treats "Alzheimer's disease", likely ?d binds ?g, ?d != ?e`. ?x
                is a variable, ? is anything; names of several words stand in quotes.
            atoms: The conditions one by one, instead of text.
            show: Only these variables; the others must be there. Repeat for several.
            above: Chance that a predicted fact of a likely condition must have, 0.01 to 1.
            limit: How many on one page, 1 to 1000.
            cursor: `next` of the page before; none for the first.
            max_rows: How many rows may be made on the way to the answers, 1000 to 20000000.
            deadline_ms: Answer after this many milliseconds, 1 to 60000.
        """

    @question("GET", "/v1/relations")
    def relations(self, *, limit: int = 100, cursor: str | None = None) -> RelationPage:
        """The relations, how often each is stated, and how many it links on each side.

        Most used first.

        Args:
            limit: How many on one page, 1 to 1000.
            cursor: `next` of the page before; none for the first.
        """

    @question("GET", "/v1/schema")
    def schema(self) -> Schema:
        """The types, and which relations run from which type to which, the largest first.

        A fact between entities of several types counts once for each pair of their types.

        The graph of types.
        """

    @question("GET", "/v1/types/{id}/table")
    def table(
        self,
        id: str,
        *,
        columns: Sequence[str] = (),
        sort: str | None = None,
        filter: Sequence[str] = (),
        limit: int = 100,
        cursor: str | None = None,
    ) -> TypeTable:
        """A type as a table: attributes and relations as columns with what is in them, sorted and
        filtered.

        A relation with an inverse is one column, and so are both directions of a symmetric one.

        By label unless sort says otherwise. The header Accept chooses JSON or CSV.

        Args:
            id: The type, by IRI, CURIE or label.
            columns: Attributes and relations, by CURIE, IRI or label; `^` before a relation reads
                it from its tail. Without: the fullest.
            sort: `label`, `facts` or a column; `-` before it: largest first.
            filter: Only rows of which this holds: `population>=1000000`, `capital=Nairobi`, `in
                region~Africa` (contains). Repeat for several.
            limit: How many rows on one page, 1 to 10000.
            cursor: `next` of the page before; none for the first.
        """

    @question("GET", "/v1/examples")
    def examples(self, *, limit: int = 6) -> Examples:
        """Questions that this graph can answer, with short answers: made from its best linked
        type, the same for the same snapshot and model.

        One of each sort, the same for the same snapshot and model.

        Args:
            limit: How many questions, 1 to 12.
        """

    @question("GET", "/v1/doctor")
    def doctor(
        self,
        *,
        kind: Literal[
            "all",
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
        ] = "all",
        limit: int = 20,
        state: Literal["all", "open", "accepted", "ignored"] = "open",
        deadline_ms: int = 60000,
    ) -> Diagnosis:
        """What looks wrong: contradictions, doubles, implausible facts, facts of texts that may be
        misread, loose ends, each with evidence and a patch.

        Worst first.

        Args:
            kind: Only this kind of finding.
            limit: How many on one page, 1 to 1000.
            state: Only those that nobody decided about, or others.
            deadline_ms: Answer after this many milliseconds, 1 to 600000.
        """

    @question("GET", "/v1/merges")
    def merges(self, *, explain: str | None = None, limit: int = 20) -> Merges:
        """Entities that several sources, or one, had under several names: which were merged, how
        likely it is that they are one, and what speaks for it.

        Least certain first.

        Args:
            explain: Only those of this entity, by an IRI that is gone or by the one that stands
                for it.
            limit: How many on one page, 1 to 1000.
        """

    @question("GET", "/v1/stats")
    def stats(self) -> Stats:
        """How much there is, and which snapshot and model are served.

        Counts.
        """

    @question("GET", "/v1/diff")
    def changes(
        self,
        from_: str | None = None,
        to: str | None = None,
        *,
        about: Sequence[str] = (),
        watched: bool = False,
        limit: int = 20,
        deadline_ms: int = 5000,
    ) -> Changes:
        """What changed between two snapshots: facts that came and went, and predictions that
        appeared, vanished, moved more than chance moves them, or came true.

        Without ids it is the served snapshot and the one before it. `sightline compile` says
        the id of the snapshot it builds; the last three are kept, and those that models were
        trained on.

        Most changed first.

        Args:
            from_: Id of the older snapshot, or the start of it; none: the one before the newer.
            to: Id of the newer snapshot, or the start of it; none: the one that is served.
            about: Only what is new about these entities. Repeat for several.
            watched: Only what is new about the watched entities, since they were last looked at.
            limit: How many on one page, 1 to 1000.
            deadline_ms: Answer after this many milliseconds, 1 to 60000.
        """


class AsyncKinds:
    """The same as ``Kinds``, for who does something else meanwhile."""

    insights = awaited(Kinds.insights)
    surprising = awaited(Kinds.surprising)
    entities = awaited(Kinds.entities)
    entity = awaited(Kinds.entity)
    related = awaited(Kinds.related)
    similar = awaited(Kinds.similar)
    neighborhood = awaited(Kinds.neighborhood)
    paths = awaited(Kinds.paths)
    enrich = awaited(Kinds.enrich)
    communities = awaited(Kinds.communities)
    overview = awaited(Kinds.overview)
    predict = awaited(Kinds.predict)
    predict_each = awaited(Kinds.predict_each)
    explain = awaited(Kinds.explain)
    inductive = awaited(Kinds.inductive)
    query = awaited(Kinds.query)
    relations = awaited(Kinds.relations)
    schema = awaited(Kinds.schema)
    table = awaited(Kinds.table)
    examples = awaited(Kinds.examples)
    doctor = awaited(Kinds.doctor)
    merges = awaited(Kinds.merges)
    stats = awaited(Kinds.stats)
    changes = awaited(Kinds.changes)
