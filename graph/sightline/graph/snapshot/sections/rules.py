"""The rules that facts follow, where they are wanted.

What they are is in ``sightline.graph.mining.rules``, how they are found in ``mining.mine``.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.graph.arrays import Floats, Ids, Offsets
from sightline.graph.mining.rules import Rules
from sightline.graph.snapshot.sections.section import Section, indptr, require_lengths

if TYPE_CHECKING:
    from sightline.graph.snapshot.inputs import Inputs


class MinedRules(Section):
    """K rules by head, the surest first; see ``mining.rules.Rules``.

    Attributes:
        rule_indptr: ``(2 R + 1,)``: the rules of each directed relation.
        rule_body: ``(K, 3)``.
        rule_head_end, rule_body_end, rule_support, rule_pairs, rule_share: ``(K,)``.
    """

    title = "rules"
    share = 60
    wanted = "rules"

    rule_indptr: Offsets
    rule_body: Ids
    rule_head_end: Ids
    rule_body_end: Ids
    rule_support: Ids
    rule_pairs: Ids
    rule_share: Floats

    @classmethod
    def write(cls, inputs: Inputs, folder: Path, manifest: dict[str, Any]) -> None:
        from sightline.graph.mining.halves import halves
        from sightline.graph.mining.mine import mine

        names = ("head", "relation", "tail", "one_rel")
        head, relation, tail, rels = (np.load(folder / f"{name}.npy") for name in names)
        graph = halves(head, relation, tail, rels, len(inputs.tables["entity"]))
        rules = mine(graph, rels)
        np.save(folder / "rule_indptr.npy", indptr(rules.head, len(rels)))
        for name in Rules._fields[1:]:
            np.save(folder / f"rule_{name}.npy", getattr(rules, name))

    def check(self) -> None:
        names = ("rule_body", "rule_head_end", "rule_body_end", "rule_support", "rule_pairs")
        require_lengths(int(self.rule_indptr[-1]), *names, "rule_share", of=self)

    @cached_property
    def rules(self) -> Rules | None:
        """The mined rules; None where none were looked for."""
        if not MinedRules.is_in(self.manifest):
            return None
        head = np.repeat(
            np.arange(len(self.rule_indptr) - 1, dtype=np.int32), np.diff(self.rule_indptr)
        )
        return Rules(head, *(getattr(self, f"rule_{name}") for name in Rules._fields[1:]))
