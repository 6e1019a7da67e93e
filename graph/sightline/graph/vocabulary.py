"""The IRIs this project coins or treats specially, and how raw names become IRIs.

Knows strings; knows no graph and no file.
"""

from __future__ import annotations

import re
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
OBO = "http://purl.obolibrary.org/obo/"
_OBO_PREFIXES = """
AAO ADO ADW AEO AERO AGRO AISM AMPHX APO APOLLO_SV ARO ATO AfPO BCGO BCO BFO BILA BOOTSTREP BSPO
BTO CARO CDAO CDNO CEPH CHEBI CHEMINF CHIRO CHMO CIDO CIO CL CLAO CLO CLYH CMF CMO COB COLAO CRO
CTENO CTO CVDO DC_CL DDANAT DDPHENO DIDEO DINTO DISDRIV DOID DRON DUO ECAO ECO ECOCORE ECTO EHDA
EHDAA EHDAA2 EMAP EMAPA ENVO EO EPIO EPO ERO EUPATH EV ExO FAO FBSP FBbi FBbt FBcv FBdv FIDEO
FIX FLOPO FLU FMA FOBI FOODON FOVT FYPO GALLONT GAZ GECKO GENEPIO GENO GEO GNO GO GRO GSSO
HABRONATTUS HANCESTRO HAO HOM HP HSO HTN HsapDv IAO ICEO ICO IDO IDOMAL IEV IMR INO IPR KISAO
LABO LEPAO LIPRO LOGGERHEAD MA MAMO MAO MAT MAXO MCO MCRO MF MFMO MFO MFOEM MFOMD MI MIAPA MICRO
MIRNAO MIRO MMO MO MOD MONDO MOP MP MPATH MPIO MRO MS MmusDv NBO NCBITaxon NCIT NCRO NGBO
NIF_CELL NIF_DYSFUNCTION NIF_GROSSANATOMY NMR NOMEN OAE OARCS OBA OBCS OBI OBIB OBO_REL OCCO OGG
OGI OGMS OGSF OHD OHMI OHPI OMIABIS OMIT OMO OMP OMRSE ONE ONS ONTOAVIDA ONTONEO OOSTT OPL OPMI
ORNASEQ OVAE OlatDv PAO PATO PCL PCO PDRO PD_ST PECO PGDSO PHIPO PLANA PLANP PLO PO PORO PPO PR
PROCO PROPREO PSDO PSO PW PdumDv RBO RESID REX RNAO RO RS RXNO SAO SBO SCDO SEP SEPIO SIBO SLSO
SO SOPHARM SPD STATO SWO SYMP T4FS TADS TAHE TAHH TAO TAXRANK TGMA TO TRANS TTO TXPO UBERON UO
UPA UPHENO VBO VHOG VO VSAO VT VTO VariO WBPhenotype WBbt WBls XAO XCO XLMOD XPO YPO ZEA ZECO
ZFA ZFS ZP
"""
#: Prefixes of ids that the OBO Foundry registers: ``MONDO:0005148`` is ``OBO + MONDO_0005148``.
OBO_PREFIXES = tuple(_OBO_PREFIXES.split())
#: What follows such a prefix.
OBO_LOCAL = "[A-Za-z_]*[0-9][A-Za-z0-9_]*"

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
#: Named graph of what texts say, as far as it was extracted.
EXTRACTED_GRAPH = "urn:sightline:extracted"
#: A text is ``DOCUMENT + <hash of the source>``, and its sentences are its ``TEXT``, each with the
#: character after its end and the headings that it stands under.
DOCUMENT = "urn:sightline:document:"
TEXT = SCHEMA + "text"
TEXT_END = "http://www.w3.org/ns/oa#end"
ARTICLE_SECTION = SCHEMA + "articleSection"
#: Named graph of which entities are one, and what its statements say of themselves: a number, a
#: text, and texts.
MERGES_GRAPH = "urn:sightline:merges"
MERGE_PROBABILITY, MERGE_METHOD, MERGE_REASON = (
    f"urn:sightline:merge:{name}" for name in ("probability", "method", "reason")
)
SAME_AS = OWL + "sameAs"
#: Statements with these predicates say that two things are one.
IDENTITY = (SAME_AS, SKOS + "exactMatch")
#: What an extracted statement says of itself.
CONFIDENCE = "https://w3id.org/biolink/vocab/extraction_confidence_score"
SUPPORTING_TEXT = "https://w3id.org/biolink/vocab/supporting_text"
METHOD = SCHEMA + "measurementTechnique"

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
#: How a relation reads from its tail: "contains" of "located in".
INVERSE_LABEL = "http://purl.org/net/vocab/2004/03/label#inverseSingular"
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
    """The CURIE of an IRI by the longest matching prefix or by OBO's, or the IRI itself.

    A local part is taken only if expanding the CURIE gives the same IRI back.
    """
    name, namespace = None, ""
    for prefix, start in prefixes.items():
        if len(start) > len(namespace) and iri.startswith(start):
            name, namespace = prefix, start
    if name is None and (found := _OBO_IRI.fullmatch(iri)):
        return f"{found[1]}:{found[2]}"
    return iri if name is None or len(iri) == len(namespace) else f"{name}:{iri[len(namespace) :]}"


def expand(ref: str, prefixes: Mapping[str, str]) -> str | None:
    """The IRI of a CURIE whose prefix is known or one of OBO, otherwise None."""
    prefix, colon, local = ref.partition(":")
    start = prefixes.get(prefix)
    if colon and start is not None:
        return start + local
    return f"{OBO}{prefix}_{local}" if _OBO_CURIE.fullmatch(ref) else None


_OBO_IRI = re.compile(f"{OBO}({'|'.join(OBO_PREFIXES)})_({OBO_LOCAL})")
_OBO_CURIE = re.compile(f"({'|'.join(OBO_PREFIXES)}):{OBO_LOCAL}")
