"""XML as a stream of elements: bounded, without entities and without anything outside the file.

Knows XML; knows no vocabulary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser, iterparse

from sightline.ingest.errors import SourceSyntaxError, SourceUnreadable
from sightline.ingest.formats.objects import TOO_DEEP
from sightline.ingest.formats.shapes import MAX_DEPTH
from sightline.ingest.source import Source

#: What may come before the root: a declaration, comments, instructions, a DOCTYPE.
PROLOG = (
    rb"(?:\s|<\?.*?\?>|<!--.*?-->"
    rb"|<!DOCTYPE(?:[^\[\]>\"']|\"[^\"]*\"|'[^']*')*(?:\[(?:[^\]\"']|\"[^\"]*\"|'[^']*')*\]\s*)?>)*"
)
#: The root with the prefix of its name, and what follows the name.
ROOT = re.compile(PROLOG + rb"<(?:([\w.-]+):)?([\w.-]+)(?=[\s/>])([^<>]*)", re.DOTALL)


def root_of(head: bytes) -> str | None:
    """The local name of the root; None for what is no XML."""
    found = ROOT.match(head)
    if found is None or (found[1] and b"xmlns:" + found[1] not in found[3]):
        return None  # such as the first IRI of N-Triples
    return found[2].decode(errors="replace")


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def events(source: Source, wanted: Sequence[str] = ("start", "end")) -> Iterator[tuple[str, Any]]:
    """The events of a document, ``start`` and ``end`` among them, with what each is about.

    Raises:
        SourceSyntaxError, SourceUnreadable
    """
    depth = 0
    # Text in another encoding was made UTF-8, whatever its declaration says.
    encoding = None if source.encoding is None else "utf-8"
    try:
        with source.open() as stream:
            parser = XMLParser(target=TreeBuilder(), encoding=encoding)
            for what, item in iterparse(stream, wanted, parser=parser):
                depth += (what == "start") - (what == "end")
                if depth > MAX_DEPTH:
                    raise SourceUnreadable(source.path, TOO_DEEP)
                yield what, item
    except ParseError as error:
        line, reason = error.position[0], f"no XML ({str(error).partition(':')[0]})"
        raise SourceSyntaxError(source.path, line, reason) from error
    except DefusedXmlException as error:
        reason = "it declares entities, which can hide a bomb; write them out"
        raise SourceUnreadable(source.path, reason) from error
    except (LookupError, ValueError) as error:  # the parser's words for an encoding
        reason = f"its encoding cannot be read ({error}); save it as UTF-8"
        raise SourceUnreadable(source.path, reason) from error
