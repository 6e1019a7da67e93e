"""An import contract: no file needs, itself or through others, a file that needs it.

An import inside a function counts: the two files can be neither read nor moved apart. One under
``TYPE_CHECKING`` does not: it names a type for the reader and never runs.
"""

from __future__ import annotations

import grimp
import networkx as nx
from importlinter import Contract, ContractCheck, fields, output
from importlinter.application.contract_utils import AlertLevel, remove_ignored_imports_and_report


class NoCircles(Contract):
    """No circle of files in any component, or across them.

    Attributes:
        ignore_imports: imports that are known to close a circle.
    """

    type_name = "no_circles"
    ignore_imports = fields.SetField(subfield=fields.ImportExpressionField(), required=False)

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        roots = sorted(
            {".".join(m.split(".")[:2]) for m in graph.modules if m.startswith("sightline.")}
        )
        graph = grimp.build_graph(*roots, exclude_type_checking_imports=True, cache_dir=None)
        removed = remove_ignored_imports_and_report(graph, self.ignore_imports, AlertLevel.WARN)
        files = nx.DiGraph(
            (importer, imported)
            for importer in graph.modules
            for imported in graph.find_modules_directly_imported_by(importer)
        )
        circles = [
            nx.find_cycle(files, part)
            for part in nx.strongly_connected_components(files)
            if len(part) > 1
        ]
        return ContractCheck(
            kept=not circles,
            warnings=list(removed.warnings),
            ignored_import_count=removed.ignored_import_count,
            metadata={"circles": sorted(circles)},
        )

    def render_broken_contract(self, check: ContractCheck) -> None:
        for circle in check.metadata["circles"]:
            names = [importer for importer, _ in circle]
            output.print_error(" -> ".join([*names, names[0]]))
