"""Names that a snapshot does not hold, and snapshots that are not there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sightline.graph.errors import NotFound, NotReady, SightlineError, UsageError


class BadReference(UsageError):
    """A reference that is no IRI, CURIE or label."""

    def __init__(self, what: str, value: str) -> None:
        super().__init__(f"{what} {value[:80]!r} cannot be read; give an IRI, a CURIE or a label")


class _Unknown(NotFound):
    """Something that the graph does not hold, with what is near."""

    what = "name"

    def __init__(self, ref: str, nearest: Sequence[str] = ()) -> None:
        hint = f"nearest: {', '.join(nearest)}" if nearest else "nothing similar is there"
        super().__init__(f"{self.what} {ref[:120]!r} is not in the graph; {hint}")
        self.ref = ref
        self.nearest = tuple(nearest)

    @property
    def extra(self) -> dict[str, object]:
        return {"nearest": list(self.nearest)}


class UnknownEntity(_Unknown):
    """No entity has this IRI, CURIE or label."""

    what = "entity"


class UnknownRelation(_Unknown):
    """No relation has this IRI, CURIE or label."""

    what = "relation"


class UnknownClass(_Unknown):
    """No class has this IRI, CURIE or label."""

    what = "type"


class UnknownProperty(_Unknown):
    """No property of entities has this IRI, CURIE or label."""

    what = "property"


class UnknownQualifier(_Unknown):
    """No statement says anything of itself under this IRI, CURIE or label."""

    status = 422
    exit_code = 2
    what = "qualifier"


class UnknownSnapshot(NotFound):
    """No snapshot, or more than one, has an id that begins so."""

    def __init__(self, ref: str, stored: Sequence[str]) -> None:
        super().__init__(
            f"snapshot {ref[:80]!r} is not in the workspace, or not the only one that begins so; "
            f"there are: {', '.join(stored) or 'none'}"
        )


class NoFormerSnapshot(NotReady):
    """There is nothing to compare a snapshot with."""

    def __init__(self, path: str | Path, snapshot: str) -> None:
        super().__init__(
            f"workspace {str(path)!r} has no snapshot older than {snapshot} to compare it with; "
            f"`sightline compile -w {path}` after new data builds one",
            path,
        )


class _Ambiguous(SightlineError):
    """A name that several things share."""

    status = 409
    exit_code = 2
    what = "things"

    def __init__(self, ref: str, candidates: Sequence[str]) -> None:
        super().__init__(
            f"{ref[:120]!r} names {len(candidates)} {self.what}; ask for one of them by id: "
            + ", ".join(candidates[:10])
        )
        self.candidates = tuple(candidates)

    @property
    def extra(self) -> dict[str, object]:
        return {"candidates": list(self.candidates[:50])}


class AmbiguousEntity(_Ambiguous):
    """A label that several entities share."""

    what = "entities"


class AmbiguousRelation(_Ambiguous):
    """A label that several relations share."""

    what = "relations"


class AmbiguousClass(_Ambiguous):
    """A label that several classes share."""

    what = "types"


class AmbiguousProperty(_Ambiguous):
    """A label that several properties share."""

    what = "properties"


class AmbiguousQualifier(_Ambiguous):
    """A label that several properties share, of those that statements say of themselves."""

    what = "qualifiers"


class NothingCompiled(NotReady):
    """The workspace has no snapshot."""

    status = 503

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"workspace {str(path)!r} has no compiled graph; `sightline compile -w {path}` first",
            path,
        )
