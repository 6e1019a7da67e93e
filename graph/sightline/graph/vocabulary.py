"""The IRIs this project coins or treats specially, and how raw names become IRIs.

Knows strings; knows no graph and no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote, unquote

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
XSD = "http://www.w3.org/2001/XMLSchema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
SCHEMA = "https://schema.org/"
#: The same vocabulary under its older name.
SCHEMA_HTTP = "http://schema.org/"
DCTERMS = "http://purl.org/dc/terms/"
OBO_IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"
FOAF = "http://xmlns.com/foaf/0.1/"

RDF_TYPE = RDF + "type"
RDF_NIL = RDF + "nil"
RDF_LANG_STRING = RDF + "langString"
RDFS_LABEL = RDFS + "label"
XSD_STRING = XSD + "string"
#: Datatypes of numbers, and of years.
NUMBERS = tuple(
    XSD + name
    for name in (
        *("integer", "decimal", "double", "float", "gYear", "long", "int", "short", "byte"),
        *("nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger"),
        *("unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"),
    )
)

DEFAULT_BASE = "urn:sightline:"
#: Blank nodes become ``GENID + <hash of the source> + ":" + <label>``; export gives them back.
GENID = "urn:sightline:genid:"
#: Named graph of a load whose source names none.
LOAD_GRAPH = "urn:sightline:load:"
#: Named graph of what reasoning added.
INFERRED_GRAPH = "urn:sightline:inferred"

Kind = Literal["entity", "relation", "class", "property"]

#: In order of preference.
LABEL_PROPERTIES = (
    SKOS + "prefLabel",
    RDFS_LABEL,
    SCHEMA + "name",
    FOAF + "name",
    DCTERMS + "title",
    "http://purl.org/dc/elements/1.1/title",
)
#: Further texts by which something is found, beside its labels.
ALTERNATIVE_LABELS = (
    SKOS + "altLabel",
    SKOS + "hiddenLabel",
    SKOS + "notation",
    SCHEMA + "alternateName",
    DCTERMS + "alternative",
    *(f"{OBO_IN_OWL}has{how}Synonym" for how in ("Exact", "Narrow", "Broad", "Related")),
    OBO_IN_OWL + "id",
    "http://purl.obolibrary.org/obo/IAO_0000118",
)
DESCRIPTION_PROPERTIES = (
    SCHEMA + "description",
    DCTERMS + "description",
    RDFS + "comment",
    SKOS + "definition",
)
#: Statements with these predicates describe the schema: they are no edges and no path steps.
SCHEMA_PREDICATES = (
    RDF_TYPE,
    RDFS + "subClassOf",
    RDFS + "subPropertyOf",
    RDFS + "domain",
    RDFS + "range",
    RDFS + "isDefinedBy",
    RDFS + "seeAlso",
    OWL + "inverseOf",
    OWL + "equivalentClass",
    OWL + "equivalentProperty",
    OWL + "disjointWith",
    OWL + "propertyDisjointWith",
    OWL + "propertyChainAxiom",
    OWL + "hasKey",
    OWL + "imports",
    # The parts of a class without a name, and the cells of a list.
    OWL + "onProperty",
    OWL + "onClass",
    OWL + "someValuesFrom",
    OWL + "allValuesFrom",
    OWL + "hasValue",
    OWL + "unionOf",
    OWL + "intersectionOf",
    OWL + "complementOf",
    OWL + "disjointUnionOf",
    OWL + "oneOf",
    OWL + "members",
    # What an axiom with remarks is about.
    OWL + "annotatedSource",
    OWL + "annotatedProperty",
    OWL + "annotatedTarget",
    RDF + "first",
    RDF + "rest",
)
#: Things of these types are classes, relations or ontologies, not entities.
SCHEMA_CLASSES = (
    RDFS + "Class",
    RDFS + "Datatype",
    RDF + "Property",
    OWL + "Class",
    OWL + "ObjectProperty",
    OWL + "DatatypeProperty",
    OWL + "AnnotationProperty",
    OWL + "FunctionalProperty",
    OWL + "InverseFunctionalProperty",
    OWL + "TransitiveProperty",
    OWL + "SymmetricProperty",
    OWL + "AsymmetricProperty",
    OWL + "ReflexiveProperty",
    OWL + "IrreflexiveProperty",
    OWL + "Restriction",
    OWL + "AllDisjointClasses",
    OWL + "Ontology",
    OWL + "Axiom",
    *(RDF + container for container in ("List", "Seq", "Bag", "Alt")),
)


def mint(base: str, kind: Kind, local: str) -> str:
    """The IRI of a raw name: ``urn:sightline:entity:Q42``. Reserved characters are escaped."""
    return f"{base}{kind}:{quote(local, safe='')}"


def united(iri: str) -> str:
    """The one name of a term of schema.org, that with ``https``; any other IRI unchanged."""
    return SCHEMA + iri.removeprefix(SCHEMA_HTTP) if iri.startswith(SCHEMA_HTTP) else iri


def default_prefixes(base: str = DEFAULT_BASE) -> dict[str, str]:
    """Prefix to IRI. The four kinds of minted IRIs come first."""
    kinds: tuple[Kind, ...] = ("entity", "relation", "class", "property")
    return {kind: f"{base}{kind}:" for kind in kinds} | {
        "rdf": RDF,
        "rdfs": RDFS,
        "owl": OWL,
        "xsd": XSD,
        "skos": SKOS,
        "schema": SCHEMA,
        "dcterms": DCTERMS,
        "foaf": FOAF,
    }


def readable_name(iri: str) -> str:
    """A label for something that has none: the last part of its IRI, unescaped.

    >>> readable_name("urn:sightline:relation:location_of")
    'location of'
    """
    local = iri.rstrip("/#:")
    for mark in "#/:":
        local = local.rsplit(mark, 1)[-1]
    return unquote(local).replace("_", " ").strip() or iri


def contract(iri: str, prefixes: Mapping[str, str]) -> str:
    """The CURIE of an IRI by the longest matching prefix, or the IRI itself.

    A local part is taken only if expanding the CURIE gives the same IRI back.
    """
    name, namespace = None, ""
    for prefix, start in prefixes.items():
        if len(start) > len(namespace) and iri.startswith(start):
            name, namespace = prefix, start
    return iri if name is None or len(iri) == len(namespace) else f"{name}:{iri[len(namespace) :]}"


def expand(ref: str, prefixes: Mapping[str, str]) -> str | None:
    """The IRI of a CURIE whose prefix is known, otherwise None."""
    prefix, colon, local = ref.partition(":")
    start = prefixes.get(prefix)
    return start + local if colon and start is not None else None
