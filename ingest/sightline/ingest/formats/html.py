"""HTML: the text that a page shows, with headings as sections.

Scripts, styles, forms, comments and what stands in the head of a page are left out. Knows tags; the
parser is the standard library's, which takes broken pages as browsers do.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser

from sightline.ingest.formats.prose import LONGEST_PARAGRAPH, Line, Paragraph, text_format

_HIDDEN = "script style template noscript head svg math iframe object select textarea button nav"
_FLOWING = """
a abbr b bdi bdo cite code data dfn em font i kbd mark q s samp small span strong sub sup time tt u
var wbr del ins img
"""
#: Of those what stands within a sentence and parts none.
_SILENT = frozenset(("script", "style", "template"))
_HEADED = "title meta link base script style noscript template"
#: What is in them is not shown as text.
_UNSEEN = frozenset(_HIDDEN.split())
#: They do not part a text; others do.
_INLINE = frozenset(_FLOWING.split())
_OF_HEAD = frozenset(_HEADED.split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


class _Page(HTMLParser):
    """Gathers paragraphs while it is fed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[Paragraph] = []
        self.position = 0
        self._starts = array("Q", [0])
        self._unseen: list[str] = []
        self._parts: list[str] = []
        self._start = self._size = self._level = 0

    def take(self, line: Line) -> None:
        """The next part of the page."""
        if line.text.endswith("\n"):  # the lines that the parser counts
            self._starts.append(line.start + len(line.text))
        self.position = line.position
        self.feed(line.text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "body" or (self._unseen == ["head"] and tag not in _OF_HEAD):
            self._unseen.clear()  # the end of the head need not be written
        if tag in _UNSEEN:
            if tag not in _SILENT:
                self.flush()
            self._unseen.append(tag)
        elif tag not in _INLINE:
            self.flush()
            self._level = _HEADINGS.get(tag, 0)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        if tag not in _INLINE:
            self.flush()

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        elif tag not in _INLINE:
            self.flush()
            self._level = 0

    def handle_data(self, data: str) -> None:
        self._add(data, len(data))

    def handle_entityref(self, name: str) -> None:
        self._add(unescape(f"&{name};"), len(name) + 2)

    def handle_charref(self, name: str) -> None:
        self._add(unescape(f"&#{name};"), len(name) + 3)

    def _add(self, text: str, length: int) -> None:
        if self._unseen:
            return
        line, column = self.getpos()
        at = self._starts[line - 1] + column
        if self._parts:
            gap = at - self._start - self._size
            if not 0 <= gap <= LONGEST_PARAGRAPH or self._size > LONGEST_PARAGRAPH:
                self.flush()
            else:
                self._parts.append("\0" * gap)
                self._size += gap
        if not self._parts:
            self._start, self._size = at, 0
        self._parts.append(text[:length].replace("\xa0", " ").ljust(length, "\0"))
        self._size += length

    def flush(self) -> None:
        """End a paragraph."""
        if self._parts:
            text = "".join(self._parts)
            self.found.append(Paragraph(self._start, text, self.position, self._level))
            self._parts = []


def paragraphs(lines: Iterator[Line]) -> Iterator[Paragraph]:
    """What stands between tags that part a text."""
    page = _Page()
    for line in lines:
        page.take(line)
        yield from page.found
        page.found.clear()
    page.close()
    page.flush()
    yield from page.found


HTML = text_format("html", (".html", ".htm", ".xhtml"), "text/html", lambda head: False, paragraphs)
