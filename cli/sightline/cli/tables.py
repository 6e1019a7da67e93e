"""Answers as tables for people: one way for all kinds of answer, another where that does not do.

Knows the records that answers share; asks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from sightline.cli import terminal
from sightline.insights.records import ChangedAnswer, EntityRef, Fact, Ref, Reliability, Step

if TYPE_CHECKING:
    from sightline.insights.kinds.changes import Changes
    from sightline.insights.kinds.communities import Communities
    from sightline.insights.kinds.doctor import Diagnosis
    from sightline.insights.kinds.enrich import Enriched, SharedFeature
    from sightline.insights.kinds.explain import Explanation
    from sightline.insights.kinds.insights import Insights
    from sightline.insights.kinds.merges import Merges
    from sightline.insights.kinds.paths import Paths
    from sightline.insights.kinds.query import Answers
    from sightline.insights.kinds.surprising import Forbidden, Surprising

_UNSAID = {field.name for field in fields(Reliability)}


def show(answer: Any, title: str | None = None) -> None:
    """Print every list of an answer as a table and every other value as a line.

    Args:
        title: of the first table; None: what the answer is about, and the name of the list.
    """
    about = [getattr(answer, field.name) for field in fields(answer)]
    label = " and ".join(ref.label for ref in about if isinstance(ref, EntityRef))
    for field, value in zip(fields(answer), about):
        if isinstance(value, tuple):
            heading = title or ": ".join(filter(None, (label, field.name)))
            title = None
            if value and isinstance(value[0], Fact):
                _show_facts(heading, value, answer)
            else:
                _show_records(heading, value)
        elif field.name not in _UNSAID and not isinstance(value, EntityRef):
            terminal.say(f"{field.name}: {_cell(value)}")
    if hasattr(answer, "reason"):
        _say_reason(answer, "not everything was asked")


def _show_records(title: str, records: Sequence[Any]) -> None:
    columns: list[str] = []
    if records and is_dataclass(records[0]):
        columns = [field.name for field in fields(records[0])]
    numbers = {c for c in columns if isinstance(getattr(records[0], c), int | float)}
    heads = [f"#{c}" if c in numbers else c for c in columns] or ["value"]
    rows = [[_cell(getattr(r, c)) for c in columns] or [_cell(r)] for r in records]
    terminal.table(title, heads, rows)


def _cell(value: object) -> str:
    """A value in one line: what names something by its label, a list by its items."""
    if isinstance(value, Ref):
        return value.label
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, tuple | list):
        return ", ".join(map(_cell, value))
    return "" if value is None else str(value)


def _show_facts(title: str, facts: Sequence[Fact], answer: Reliability) -> None:
    """Facts with their chance and what speaks for them; guesses are only counted."""
    shown = [fact for fact in facts if not fact.abstain]
    columns: dict[str, list[str]] = {
        "fact": list(map(_text, shown)),
        "status": [f.status for f in shown],
        "#chance": [percent(f.probability) for f in shown],
        "#if any": [percent(f.probability_if_any) for f in shown],
        "qualifiers": list(map(_qualifiers, shown)),
        "why": list(map(_why, shown)),
    }
    if shown or not answer.guesses:
        _columns(title, columns)
    if answer.guesses:
        also = f"{title}: " if not shown else "and "
        guesses = "guess" if answer.guesses == 1 else "guesses"
        below = f" below {percent(answer.abstain_below)}"
        if answer.base_rate is None:
            below = ": too few facts could be held out to say how sure the model is"
        terminal.say(f"{also}{answer.guesses} {guesses}{below}")
    if any(fact.status == "predicted" for fact in facts):
        terminal.say(f"predicted by: {answer.model}")
        terminal.say(
            "chance: as an answer to this question; asked of its other end a fact may have "
            "another, `sightline explain` shows both"
        )


def _text(fact: Fact | Explanation | Forbidden | ChangedAnswer) -> str:
    return f"{fact.head.label} —{fact.relation.label}→ {fact.tail.label}"


def _columns(title: str, columns: dict[str, list[str]]) -> None:
    """A table of columns; without that of qualifiers where nothing has any."""
    if not any(columns["qualifiers"]):
        del columns["qualifiers"]
    terminal.table(title, list(columns), list(zip(*columns.values())))


def _say_reason(answer: Any, cut: str) -> None:
    """What was cut of an answer, or why there is none."""
    if answer.reason:
        truncated = getattr(answer, "truncated", False)
        terminal.say(f"{cut}: {answer.reason}" if truncated else answer.reason)


def _qualifiers(*facts: Fact | Step) -> str:
    """What their statements say about themselves, the same once: ``rating 4.5, 3; year 1999``."""
    said: dict[str, dict[str, None]] = {}
    for one in chain.from_iterable(fact.qualifiers for fact in facts):
        said.setdefault(one.label, {})[str(one.value)] = None
    return "; ".join(f"{label} {', '.join(values)}" for label, values in said.items())


def percent(chance: float | None) -> str:
    """A probability as a person reads it; nothing for none."""
    if chance is None:
        return ""
    return f"{chance:.0%}" if chance >= 0.095 or chance == 0 else f"{chance:.1%}"


def _small(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"


def _why(fact: Fact) -> str:
    if fact.status != "predicted":
        files = "; ".join(map(str, fact.origins[:2]))
        return fact.support_note or files
    if fact.rule:
        return f"{fact.rule.paths[0].text} (a rule, {percent(fact.rule.rule.confidence)} sure)"
    return fact.support[0].text if fact.support else fact.support_note or ""


def show_paths(answer: Paths) -> None:
    """Ranked paths, and a line that says how many there are and what was cut."""
    columns = {
        "#score": [f"{path.score:.4f}" for path in answer.paths],
        "path": [path.text for path in answer.paths],
        "qualifiers": [_qualifiers(*path.steps) for path in answer.paths],
    }
    source, target = (
        end[0].label if len(end) == 1 else f"{len(end)} entities"
        for end in (answer.source, answer.target)
    )
    _columns(f"From {source} to {target}", columns)
    if answer.paths:
        terminal.say(f"{len(answer.paths)} of {answer.found} paths shown")
        shapes = (
            (f"{m.score:.4f}", str(m.count), _small(m.p_value), _small(m.q_value), m.metapath)
            for m in answer.metapaths
        )
        terminal.table("Shapes, beside chance", ("#score", "#paths", "#p", "#q", "shape"), shapes)
        for why in {m.note for m in answer.metapaths if m.p_value is None}:
            terminal.say(f"no p: {why}")
    _say_reason(answer, "not everything was searched")


def show_query(answer: Answers) -> None:
    """A column for every variable; where a condition may be predicted, the chance and what it rests
    on. Answers that rest on guesses are only counted."""
    likely = any(condition.likely for condition in answer.conditions)
    shown = [row for row in answer.rows if not any(fact.abstain for fact in row.facts)]
    columns = list(answer.variables)
    rows = [[value.label for value in row.values] for row in shown]
    if likely:
        columns += ["#chance", "predicted"]
        for row, cells in zip(shown, rows):
            said = dict.fromkeys(_text(fact) for fact in row.facts if fact.status == "predicted")
            cells += [percent(row.probability), "; ".join(said)]
    if shown or not answer.rows:
        terminal.table("Answers", columns, rows)
    if answer.rows:
        terminal.say(f"{len(shown)} of {answer.found} answers shown")
    if guesses := len(answer.rows) - len(shown):
        also = f"and {guesses} that rest on guesses below {percent(answer.abstain_below)} if any"
        terminal.say(f"{also}; --json shows them")
    if any(row.predicted for row in shown):
        terminal.say(f"predicted by: {answer.model}")
    if answer.note:
        terminal.say(answer.note)
    _say_reason(answer, "not everything was searched")


def show_enriched(answer: Enriched) -> None:
    """What a list has in common, beside what it is compared with; then all that was left out."""
    listed, entities = answer.background.listed, answer.background.entities
    rows = [
        (
            one.text,
            f"{one.count} of {listed}",
            f"{one.background_count:,} of {entities:,}",
            f"{one.fold:.3g}",
            _small(one.p_value),
            _small(one.q_value),
            _also(one),
        )
        for one in answer.shared
    ]
    heads = ("in common", "#listed", "#background", "#fold", "#p", "#q", "says the same")
    terminal.table(f"{listed:,} listed, beside {answer.background.text}", heads, rows)
    terminal.say(f"{answer.significant:,} of {answer.tests:,} things stand out (q at most 0.05)")
    if answer.more_like_these:
        near = ((f"{one.similarity:.3f}", one.entity.label) for one in answer.more_like_these)
        terminal.table("More like these", ("#similarity", "entity"), near)
    for note in answer.notes:
        terminal.say(f"note: {note}")
    for ref in answer.outside:
        terminal.say(f"left out: {ref.label}, which is not of that type")
    for name in answer.unresolved:
        terminal.say(f"left out: {name.problem}")
    _say_reason(answer, "not everything was compared")


def show_communities(answer: Communities) -> None:
    """Communities with what is central in them and common to them, then what joins them."""
    rows = [
        (
            str(one.number),
            f"{one.entities:,}",
            ", ".join(f"{kind.type.label} {kind.entities:,}" for kind in one.types if kind.type),
            ", ".join(ref.label for ref in one.central),
            "; ".join(f"{t.text} ({t.count:,} of {t.background_count:,})" for t in one.in_common),
        )
        for one in answer.communities
    ]
    heads = ("#", "#entities", "types", "central", "in common")
    terminal.table("Communities", heads, rows)
    terminal.say(f"{len(rows)} of {answer.found:,} shown; modularity {answer.modularity:.2f}")
    if answer.alone:
        terminal.say(f"entities that no fact joins to another: {answer.alone:,}")
    joins = (
        (
            f"{one.participation:.2f}",
            f"{one.usual:.2f}",
            one.entity.label,
            "; ".join(f"{link.facts:,} into {link.community} {link.name}" for link in one.links),
        )
        for one in answer.bridges
    )
    if answer.bridges:
        terminal.table("What joins them", ("#participation", "#usual", "entity", "facts"), joins)
    _say_reason(answer, "not everything was looked at")


def show_insights(answer: Insights) -> None:
    """Each finding with its line of why and the command that shows more."""
    terminal.say(f"{len(answer.insights)} of {answer.found} findings, of every sort the first")
    for number, one in enumerate(answer.insights, 1):
        terminal.say("")
        terminal.say(f"{number:>2}  {one.sort}: {one.text}")
        terminal.say(f"    {one.why}")
        terminal.say(f"    > {one.command}")
    terminal.say("")
    for why in answer.nothing:
        terminal.say(f"nothing of this sort: {why}")
    _say_reason(answer, "not everything was looked at")


def show_surprising(answer: Surprising) -> None:
    """Facts with both chances and what speaks for them, and what was left out for which reason."""
    rows = []
    for one in answer.surprising:
        fact = one.fact
        asked = fact.tail if fact.direction == "in" else fact.head
        chances = percent(fact.probability), asked.label, percent(fact.graph_chance)
        paths = (fact.rule.paths if fact.rule else ()) or fact.support
        p = None if one.connection is None else one.connection.p_value
        why = paths[0].text if paths else ""
        rows.append((_text(fact), *chances, f"{fact.surprising:.1f}", _small(p), why))
    columns = ("fact", "#chance", "asked of", "#by rules", "#bits", "#p of paths", "here")
    terminal.table("Surprising, and not stated", columns, rows)
    terminal.say(f"{answer.asked:,} of {answer.entities:,} entities were asked about")
    for out in answer.left_out:
        terminal.say(f"left out: {out.facts:,}, {out.why}")
    for no in answer.forbidden:
        terminal.say(f"forbidden: {_text(no)}; {no.constraint}")
    _say_reason(answer, "not everything was looked at")


def _also(one: SharedFeature) -> str:
    more = one.folded - len(one.alike[:1])
    return ", ".join([*one.alike[:1], *([f"{more:,} more"] if more else [])])


def show_explanation(answer: Explanation) -> None:
    """Status and sources of a fact, the rules that give it with a walk each, and both chances."""
    said = [answer.status, answer.note, answer.premises, *map(str, answer.origins[:2])]
    terminal.say(f"{_text(answer)}: {'; '.join(filter(None, said))}")
    relation = f"—{answer.relation.label}→"
    for asked, one in (
        (f"{answer.head.label} {relation} ?", answer if answer.probability is not None else None),
        (f"? {relation} {answer.tail.label}", answer.from_tail),
    ):
        if one is not None:
            guess = ", a guess" if one.abstain else ""
            terminal.say(
                f"the model, asked {asked}: {percent(one.probability)}; "
                f"{percent(one.probability_if_any)} if there is one more answer{guess}"
            )
    if answer.graph_chance is not None:
        terminal.say(f"the graph: {percent(answer.graph_chance)}, by the rules below")
    rows = (
        (
            f"{r.rule.confidence:.2f}",
            f"{r.rule.support}/{r.rule.pairs}",
            r.rule.text,
            r.paths[0].text if r.paths else "",
        )
        for r in answer.reasons
    )
    if answer.reasons:
        terminal.table("Rules that give it", ("#confidence", "#facts", "rule", "here"), rows)
    if answer.support:
        paths = ((f"{path.score:.4f}", path.text) for path in answer.support)
        terminal.table("Paths beside it", ("#score", "path"), paths)
    for line in (answer.support_note, f"faithfulness: {answer.faithfulness_note}"):
        if line:
            terminal.say(line)
    _say_reason(answer, "not everything was searched")


def show_changes(answer: Changes) -> None:
    """How much came and went, of what and about whom; facts; answers that are others now."""
    from sightline.insights.from_texts import said as said_of

    old, new = answer.old, answer.new
    terminal.say(f"from snapshot {old.snapshot} (model {old.model or 'none'})")
    terminal.say(f"to snapshot {new.snapshot} (model {new.model or 'none'})")
    kinds = ("entities", "edges", "types", "attributes", "extracted")
    rows = [(kind, x.added, x.removed) for kind in kinds for x in (getattr(answer, kind),)]
    terminal.table("Changes", ("what", "#added", "#removed"), rows)
    for title, found in (("By relation", answer.relations), ("By entity", answer.most_changed)):
        lines = [(c.label, c.added, c.removed) for c in found]
        terminal.table(title, ("name", "#added", "#removed"), lines)
    for title, facts in (("Added", answer.added), ("Removed", answer.removed)):
        named = [(f.text, "inferred" if f.inferred else "stated") for f in facts]
        terminal.table(title, ("fact", "is"), named)
    for told, read in (
        ("Read in texts", answer.extracted_added),
        ("No longer read in texts", answer.extracted_removed),
    ):
        lines_read = [
            (
                *(_text(f), f.status),
                *(percent(float(said_of(f, "confidence") or 0)), said_of(f, "sentence")),
            )
            for f in read
        ]
        terminal.table(told, ("fact", "is", "#confidence", "sentence"), lines_read)
    if answer.compared:
        heads = ("answer", "change", "#before", "#after", "because")
        said = [
            (_text(a), a.change, percent(a.before), percent(a.after), "; ".join(a.because))
            for a in answer.answers
        ]
        terminal.table(f"Answers about {answer.compared} entities", heads, said)
    for text in (answer.note, answer.reason):
        if text:
            terminal.say(text)


def show_diagnosis(answer: Diagnosis) -> None:
    """Findings, the worst first, and how many there are in all."""
    rows = [
        (f.severity, percent(f.certainty), f.kind, f.why, f.id if f.patch else "")
        for f in answer.findings
    ]
    columns = ("severity", "#certain", "kind", "finding", "patch")
    terminal.table("What looks wrong", columns, rows)
    kinds = ", ".join(f"{c.findings} {c.kind}" for c in answer.counts)
    terminal.say(f"{len(rows)} of {answer.total} shown" + (f"; in all: {kinds}" if kinds else ""))
    decided = [f"{c.findings} {c.state}" for c in answer.states if c.findings and c.state != "open"]
    if decided:
        terminal.say(f"decided about: {', '.join(decided)}; --state all lists them, too")
    if any(f.patch and f.patch.retracts for f in answer.findings):
        terminal.say("a patch takes its statements back: sightline doctor --apply ID")
    _say_reason(answer, "not everything was looked at")


def show_merges(answer: Merges) -> None:
    """What was merged into what, with the chance, and what speaks for it."""
    columns = ("entity", "merged from", "#chance", "how", "why")
    rows = [
        (
            *(f"{one.entity.label} ({one.entity.id})", was.id, percent(was.probability)),
            *(was.method, "; ".join(was.reasons)),
        )
        for one in answer.merges
        for was in one.merged_from
    ]
    terminal.table("Merges", columns, rows)
    terminal.say(f"{len(rows):,} of {answer.total:,}; --undo ID takes one back")


#: How to show kinds of answer for which ``show`` does not do, by their name.
OWN: dict[str, Callable[..., None]] = {
    "changes": show_changes,
    "communities": show_communities,
    "doctor": show_diagnosis,
    "enrich": show_enriched,
    "explain": show_explanation,
    "insights": show_insights,
    "merges": show_merges,
    "paths": show_paths,
    "query": show_query,
    "surprising": show_surprising,
}
