"""Loose ends: what has no label, and what hangs together with nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sightline.graph.arrays import expand_csr
from sightline.graph.vocabulary import LABEL_PROPERTIES, RDFS_LABEL
from sightline.insights.checks.grounds import SHOWN, Grounds, Suspect

#: What nearly all others of a type have is missing where one has not.
NEARLY_ALL = 0.9


def unlabelled(g: Grounds, end: float) -> Iterator[Suspect]:
    """Entities without a label where nearly all of their type have one; labels of two."""
    s = g.snapshot
    iris = {*LABEL_PROPERTIES, RDFS_LABEL}
    labelling = np.array([iri in iris for iri in s.property_iris], np.bool_)
    if not labelling.any():
        return
    owner = np.repeat(np.arange(s.num_entities), np.diff(s.attribute_indptr))
    has = np.zeros(s.num_entities, np.bool_)
    has[owner[labelling[s.attribute_property]]] = True
    typed = np.diff(s.type_indptr) > 0
    entity_of = np.repeat(np.arange(s.num_entities), np.diff(s.type_indptr))
    members = np.bincount(s.type_class, minlength=len(s.class_iris))
    with_label = np.bincount(s.type_class[has[entity_of]], minlength=len(s.class_iris))
    usual = (members >= 10) & (with_label >= NEARLY_ALL * members)
    lacking = np.flatnonzero(usual[s.type_class] & ~has[entity_of])
    seen = np.zeros(s.num_entities, np.bool_)
    for c in np.unique(s.type_class[lacking]).tolist():
        own = entity_of[lacking[s.type_class[lacking] == c]]
        own = own[~seen[own]]
        seen[own] = True
        if not len(own):
            continue
        why = "{e0} has no label, where " + f"{with_label[c]:,} of {members[c]:,} {{c0}} do"
        if len(own) > 1:
            why = f"{len(own):,} of {members[c]:,} {{c0}} have no label, such as {{e0}}"
        certainty = float((with_label[c] + 1) / (members[c] + 2))
        few = tuple(own[:SHOWN].tolist())
        yield Suspect("unlabelled", "low", certainty, why, few, classes=(c,))
    bare = ~typed & ~has & (np.diff(s.attribute_indptr) == 0) & (np.diff(s.out_indptr) == 0)
    alone = np.flatnonzero(bare)
    if typed.mean() >= NEARLY_ALL and len(alone):
        why = "{e0} is only pointed at: it has no label, no type and no fact of its own"
        if len(alone) > 1:
            why = f"{len(alone):,} entities are only pointed at, such as {{e0}}: they have no "
            why += "label, no type and no fact of their own"
        few = tuple(alone[:SHOWN].tolist())
        into = (s.in_edge[s.in_indptr[e] : s.in_indptr[e + 1]][:1] for e in few)
        edges = tuple(int(edge) for found in into for edge in found)
        yield Suspect("unlabelled", "low", float(typed.mean()), why, few, edges=edges)


def isolated(g: Grounds, end: float) -> Iterator[Suspect]:
    """Parts that no path leads to from the largest, and entities without a fact."""
    from scipy import sparse

    s = g.snapshot
    if not s.num_edges:
        return
    shape = (s.num_entities, s.num_entities)
    links = sparse.csr_array((np.ones(s.num_edges, np.bool_), (s.head, s.tail)), shape)
    _, part = sparse.csgraph.connected_components(links, directed=False)
    size = np.bincount(part)
    if size.max() * 2 <= s.num_entities:
        return  # a graph of many parts has none that is apart
    alone = np.flatnonzero(np.diff(s.out_indptr) + np.diff(s.in_indptr) == 0)
    if len(alone):
        # Where many have none, that is how the graph is.
        why = f"{len(alone):,} of {s.num_entities:,} entities have no fact, such as {{e0}}"
        few = tuple(alone[:SHOWN].tolist())
        yield Suspect("isolated", "low", 1 - len(alone) / s.num_entities, why, few)
    rank = np.argsort(part, kind="stable")
    bounds = np.append(0, np.cumsum(size))
    apart = np.flatnonzero((size > 1) & (size < size.max()))
    if not len(apart):
        return
    apart = apart[np.argsort(-size[apart], kind="stable")]
    members = rank[bounds[apart[0]] : bounds[apart[0] + 1]]
    most = int(size[apart[0]])
    why = f"{{e0}} and what it is linked with, {most:,} entities, hang together with nothing "
    why += "else"
    if len(apart) > 1:
        why = f"{len(apart):,} parts of {int(size[apart].min()):,} to {most:,} entities hang "
        why += "together with nothing else; the largest is {e0} and what it is linked with"
    certainty = 1 - float(size[apart].sum() / s.num_entities)
    edges = tuple(expand_csr(s.out_indptr, members)[1][:SHOWN].tolist())
    yield Suspect(
        "isolated",
        "low",
        certainty,
        why,
        tuple(members[:SHOWN].tolist()),
        edges=edges,
        detail="parts",
    )
