"""An import contract: no file needs, itself or through others, a file that needs it.

An import inside a function counts: the two files can be neither read nor moved apart. One under
``TYPE_CHECKING`` does not: it names a type for the reader and never runs.
"""

from __future__ import annotations

import grimp
import networkx as nx
from importlinter import Contract, ContractCheck, output


class NoCircles(Contract):
    """No circle of files in any component, or across them. There are no exceptions."""

    type_name = "no_circles"

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        roots = sorted(
            {".".join(m.split(".")[:2]) for m in graph.modules if m.startswith("sightline.")}
        )
        graph = grimp.build_graph(*roots, exclude_type_checking_imports=True, cache_dir=None)
        circles = circles_of(graph)
        return ContractCheck(kept=not circles, metadata={"circles": circles})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for names in check.metadata["circles"]:
            output.print_error(" -> ".join([*names, names[0]]))


def circles_of(graph: grimp.ImportGraph) -> list[list[str]]:
    """One circle of imports, by the names of its modules, for each group that is tied together."""
    imports = nx.DiGraph(
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    )
    tied = [part for part in nx.strongly_connected_components(imports) if len(part) > 1]
    return sorted([importer for importer, _ in nx.find_cycle(imports, part)] for part in tied)
