"""The one error of this component: why a question has no answer, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Problem(Exception):
    """What RFC 9457 says of a failure. ``str(problem)`` is one plain sentence with the way out.

    Attributes:
        status: of HTTP; None where no service answered.
        kind: such as ``unknown-entity``; docs/reference/errors.md lists them.
        title: the kind in words.
        detail: the sentence.
        nearest: names like one that the graph does not hold.
        candidates: ids of what a name may stand for that several things share.
        instance: which request it was, for whoever reads the log of the service.
        extra: further members, by name, such as the ``allowed`` range of a number.
    """

    def __init__(
        self,
        detail: str,
        kind: str = "unknown",
        status: int | None = None,
        extra: Mapping[str, Any] = {},
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.title = kind.replace("-", " ").capitalize()
        self.detail = detail
        self.extra = dict(extra)
        self.instance: str | None = self.extra.pop("instance", None)
        self.nearest: tuple[str, ...] = tuple(self.extra.pop("nearest", ()))
        self.candidates: tuple[str, ...] = tuple(self.extra.pop("candidates", ()))

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Problem:
        """The members of a problem report."""
        extra = {k: v for k, v in report.items() if k not in ("type", "title", "status", "detail")}
        kind = str(report.get("type", "")).rpartition(":")[2] or "unknown"
        return cls(str(report.get("detail")), kind, report.get("status"), extra)
