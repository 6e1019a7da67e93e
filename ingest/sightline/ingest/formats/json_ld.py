"""JSON-LD: recognised by its keywords; contexts are in the document or bundled here.

Knows where a document has its contexts; ``json_ld_terms`` knows what they leave out, the parser
what they mean.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import pyoxigraph as ox

from sightline.graph.record.loads import Note
from sightline.graph.vocabulary import SCHEMA
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.formats.json_ld_terms import without_meaning
from sightline.ingest.formats.rdf import rdf_format
from sightline.ingest.source import Source
from sightline.ingest.streams import ByteStream

CONTEXT = re.compile(r'"@context"\s*:\s*')
SCHEMA_ORG = re.compile(r"https?://(www\.)?schema\.org(/|/docs/jsonldcontext\.jsonl?d?)?#?$")
#: Properties of schema.org whose values are IRIs even where they are written as texts.
_LINKS = (
    *("additionalType", "codeRepository", "contentUrl", "discussionUrl", "downloadUrl", "embedUrl"),
    *("hasMap", "image", "installUrl", "isBasedOn", "license", "logo", "mainEntityOfPage"),
    *("paymentUrl", "photo", "relatedLink", "replyToUrl", "sameAs", "serviceUrl"),
    *("significantLink", "targetUrl", "thumbnailUrl", "ticketUrl", "trackingUrl", "url"),
    *("acquireLicensePage", "map", "maps", "usageInfo", "availability", "itemCondition"),
    *("eventStatus", "eventAttendanceMode", "businessFunction", "bookFormat"),
)
SCHEMA_CONTEXT = {
    "@vocab": SCHEMA,
    "schema": SCHEMA,
    "id": "@id",
    "type": "@type",
    **{name: {"@type": "@id"} for name in _LINKS},
}
#: A key that only JSON-LD has: converters of XML write ``@id`` for what is no IRI.
_KEY = re.compile(r'"@context"\s*:|"@graph"\s*:\s*[\[{]|"@id"\s*:\s*"(_:|\w[\w+.-]*:)')
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]')


def _recognises(head: bytes) -> bool:
    """Whether the document has a key of JSON-LD, or the objects in its array have."""
    if head.lstrip()[:1] not in (b"{", b"[") or b'"@' not in head:
        return False
    text = head.decode(errors="replace").lstrip()
    objects, depth = 1 if text[0] == "{" else 2, 0
    for token in _TOKEN.finditer(text):
        if token[0] in "{}[]":
            depth += 1 if token[0] in "{[" else -1
        elif depth == objects and _KEY.match(text, token.start()):
            return True
    return False


def _opened(source: Source, stream: ByteStream, notes: list[Note]) -> bytes:
    """The document with every context in it. Raises SourceUnreadable."""
    try:
        text = stream.whole("convert it to N-Quads").decode()
    except UnicodeDecodeError as error:
        raise SourceUnreadable(source.path, "it is no UTF-8, which JSON-LD must be") from error
    parts, end = [], 0
    for found in CONTEXT.finditer(text):
        if found.start() < end:  # in a context
            continue
        try:
            context, after = json.JSONDecoder().raw_decode(text, found.end())
        except (json.JSONDecodeError, RecursionError):
            break  # the parser says what is wrong, and where
        inline = _inline(source, context)
        if inline != context:
            parts += [text[end : found.end()], json.dumps(inline)]
            end = after
    whole = "".join([*parts, text[end:]])
    with suppress(json.JSONDecodeError, RecursionError):  # as above
        notes += without_meaning(json.loads(whole))
    return whole.encode()


def _inline(source: Source, context: Any) -> Any:
    """A context without references to those elsewhere. Raises SourceUnreadable."""
    if isinstance(context, list):
        return [_inline(source, part) for part in context]
    if isinstance(context, dict):
        if "@import" in context:
            raise _remote(source, context["@import"])
        return {
            key: {**term, "@context": _inline(source, term["@context"])}
            if isinstance(term, dict) and "@context" in term
            else term
            for key, term in context.items()
        }
    if isinstance(context, str):
        if SCHEMA_ORG.match(context):
            return SCHEMA_CONTEXT
        raise _remote(source, context)
    return context


def _remote(source: Source, iri: Any) -> SourceUnreadable:
    return SourceUnreadable(
        source.path,
        f"its context {str(iri)!r} is elsewhere, and nothing is fetched (that of schema.org is "
        "bundled); put the context itself in its place, or expand the document with a JSON-LD tool",
    )


JSON_LD = rdf_format(ox.RdfFormat.JSON_LD, _recognises, _opened, (".json",))
