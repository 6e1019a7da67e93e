"""Films for a viewer of the graph, or for somebody who names a few that were liked, with reasons.

    python examples/films/recommend.py WORKSPACE --viewer "Viewer 12"
    python examples/films/recommend.py WORKSPACE --liked "The Quiet Harbour" --liked ...

Asks what `sightline predict` and `sightline paths` answer: which films the model expects, and how
the graph connects each with one that was liked. A film that nothing connects says so.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from sightline.graph.errors import SightlineError
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from sightline.insights.kinds import inductive, paths, predictions, related
from sightline.insights.kinds.inductive import Edge
from sightline.insights.records import Fact

#: What a viewer says of a film, and from how many stars it was liked.
RATING, LIKED = "rating", "rating>=4"
#: How one film leads to another: what is said of what both have.
REASONS = {"director": "directed by", "genre": "of the genre"}


def recommend(
    sight: Sightline, viewer: str | None, liked: Sequence[str], k: int = 5
) -> list[tuple[str, float, str]]:
    """The likeliest films: title, chance, and why. ``viewer`` is in the graph; without one, what
    was ``liked`` is all that is known."""
    if viewer is None:
        edges = tuple(Edge(RATING, film) for film in liked)
        asked = inductive.InductiveQuestion(edges, RATING, "out", k)
        found: Sequence[Fact] = inductive.KIND.answer(sight, asked).related
    else:
        question = predictions.PredictionQuestion(viewer, RATING, None, k, new_only=True)
        found = predictions.KIND.answer(sight, question).predictions
        rated = related.RelatedQuestion(
            viewer, relation=RATING, direction="out", k=50, where=(LIKED,), predicted=False
        )
        liked = [fact.tail.id for fact in related.KIND.answer(sight, rated).related]
    return [(one.tail.label, one.probability or 0.0, because(sight, liked, one)) for one in found]


def because(sight: Sightline, liked: Sequence[str], found: Fact) -> str:
    """The best connection of a film with those that were liked, in words."""
    if not liked:
        return "because it is what people rate"
    asked = paths.PathsQuestion(tuple(liked), (found.tail.id,), max_hops=2, k=1, exclude=(RATING,))
    for path in paths.KIND.answer(sight, asked).paths:
        first = path.steps[0]
        said = REASONS.get(first.relation.label, first.relation.label)
        return f"because you liked {first.source.label}, {said} {first.target.label}"
    return "no support found: nothing but other viewers connects it with what you liked"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--viewer")
    parser.add_argument("--liked", action="append", default=[])
    given = parser.parse_args()
    if given.viewer is None and not given.liked:
        parser.error("name a --viewer, or films that were --liked")
    try:
        opened = Sightline.open(Workspace.open(given.workspace))
        for title, chance, why in recommend(opened, given.viewer, given.liked):
            print(f"{title} ({chance:.1%}), {why}")
    except SightlineError as error:
        parser.exit(error.exit_code, f"{error}\n")
