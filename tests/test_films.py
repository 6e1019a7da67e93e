"""The example of films: from tables without a mapping to recommendations with a reason."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from sightline.insights.kinds import related

FOLDER = Path(__file__).parents[1] / "examples" / "films"


@pytest.fixture(scope="module")
def example() -> Iterator[dict[str, ModuleType]]:
    """Its three programs, which import each other by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        names = ("make", "recommend", "measure")
        yield {name: importlib.import_module(name) for name in names}
        for name in names:
            del sys.modules[name]


@pytest.fixture(scope="module")
def measured(example, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A small world of films with what is hidden left out, and the figures of all ways to rank."""
    folder = tmp_path_factory.mktemp("films")
    return folder, example["measure"].measure(folder, users=60, films=50)


@pytest.fixture(scope="module")
def sight(measured) -> Sightline:
    return Sightline.open(Workspace.open(measured[0] / "ws"))


def liked_by(sight: Sightline, viewer: str, **asked) -> set[str]:
    question = related.RelatedQuestion(
        viewer, relation="rating", direction="out", k=50, predicted=False, **asked
    )
    return {fact.tail.label for fact in related.KIND.answer(sight, question).related}


def test_the_same_seed_makes_the_same_small_tables(example, tmp_path: Path) -> None:
    make = example["make"].make
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        make(tmp_path / name, seed=seed)
    files = {
        name: {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()}
        for name in ("one", "again", "other")
    }
    assert files["one"] == files["again"] != files["other"]
    assert sum(map(len, files["one"].values())) < 300_000


def test_tables_without_a_mapping_are_links_with_ratings(sight: Sightline) -> None:
    s = sight.snapshot
    assert sorted(s.relation_labels) == ["director", "genre", "rating"]
    assert sorted(s.class_labels) == ["Director", "Film", "Genre", "User"]
    all_of, good = liked_by(sight, "Viewer 1"), liked_by(sight, "Viewer 1", where=("rating>=4",))
    assert good < all_of
    assert good


def test_a_viewer_is_recommended_what_is_new_with_a_reason(example, sight: Sightline) -> None:
    found = example["recommend"].recommend(sight, "Viewer 1", (), k=10)
    liked = liked_by(sight, "Viewer 1", where=("rating>=4",))
    assert len(found) == 10
    assert not {title for title, _, _ in found} & liked_by(sight, "Viewer 1")
    reasons = [why for _, _, why in found if why.startswith("because you liked")]
    assert reasons
    for why in reasons:
        film, _, link = why.removeprefix("because you liked ").partition(", ")
        assert film in liked
        assert link.startswith(("directed by ", "of the genre "))


def test_somebody_new_is_recommended_by_the_first_edges(example, sight: Sightline) -> None:
    titles = sorted(liked_by(sight, "Viewer 1", where=("rating>=4",)))[:3]
    found = example["recommend"].recommend(sight, None, titles, k=5)
    assert len(found) == 5
    assert not {title for title, _, _ in found} & set(titles)
    assert any(title in why for _, _, why in found for title in titles)


def test_what_is_hidden_is_in_no_table_and_new_viewers_are_not(example, measured, sight) -> None:
    folder, figures = measured
    again = folder / "again"
    example["make"].make(again, 60, 50)
    rows, hidden, known = example["measure"].split(again, 0)
    assert (again / "ratings.csv").read_bytes() == (folder / "data" / "ratings.csv").read_bytes()
    assert hidden
    assert known
    assert not {(user, film) for user, film, _ in rows} & set(hidden.items())
    assert not {user for user, _, _ in rows} & known.keys()
    assert all(hidden[user] not in films for user, films in known.items())
    assert list(figures) == ["popularity", "item-kNN", "foundation, not trained on this graph"]
    for figure in figures.values():
        for recall, ndcg, count in figure.values():
            assert 0 <= ndcg <= recall <= 1
            assert count > 5


def test_item_knn_by_hand(example) -> None:
    """Two films with the same viewers are near; one that all know is less so."""
    rows = [
        ("a", "x", 5),
        ("a", "y", 5),
        ("b", "x", 4),
        ("b", "y", 4),
        ("c", "z", 5),
        ("a", "z", 5),
    ]
    rows += [("d", "z", 3), ("e", "z", 3)]
    ways = example["measure"].baselines(rows, near=2)
    assert ways["item-kNN"]("", ["x"])[0] == "y"
    assert ways["popularity"]("", ["x"]) == ["z", "y"]


@pytest.mark.parametrize(
    ("arguments", "says"), [([], "name a --viewer"), (["--viewer", "Nobody"], "Nobody")]
)
def test_the_program_says_what_is_wrong(measured, capfd, arguments, says) -> None:
    import subprocess

    program = [sys.executable, str(FOLDER / "recommend.py"), str(measured[0] / "ws")]
    ended = subprocess.run([*program, *arguments], capture_output=True, text=True, timeout=120)
    assert ended.returncode in (1, 2)
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
