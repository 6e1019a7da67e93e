"""Markdown: its prose, with headings as sections. Code, comments and addresses are left out.

Knows the markup that CommonMark and GitHub have; what stands between it is known by ``prose``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sightline.ingest.formats.prose import (
    LONGEST_PARAGRAPH,
    Line,
    Paragraph,
    blanked,
    text_format,
)

_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+")
_RULE = re.compile(r"\s{0,3}([-=*_]\s*){3,}$|\s*\|?[\s:|-]+\|[\s:|-]*$|\s{0,3}\[[^\]]+\]:\s")
_ITEM = re.compile(r"\s*([-*+]|\d{1,9}[.)])\s+(\[[ xX]\]\s+)?")
_QUOTE = re.compile(r"(\s{0,3}>\s?)+")
#: Pictures, notes, tags and comments wholly; links, emphasis and code but for their text.
_INLINE = tuple(
    map(
        re.compile,
        (
            r"<!--.*?(-->|$)|!\[[^\]\n]{0,500}\](\([^)\n]{0,2000}\)|\[[^\]\n]{0,200}\])?|\[\^[^\]\n]{1,50}\]",
            r"\[(?P<kept>[^\[\]\n]{0,500})\](\([^)\n]{0,2000}\)|\[[^\]\n]{0,200}\])",
            r"</?[A-Za-z][^<>\n]{0,1000}>",
            r"(?P<tick>`+)(?P<kept>[^`\n]{0,500})(?P=tick)",
            r"\*+|~~+|(?<![^\W_])_+|_+(?![^\W_])|(?<=^)#+\s+|\\(?=[^\w\s])|\|",
        ),
    )
)


def paragraphs(lines: Iterator[Line]) -> Iterator[Paragraph]:
    """Headings, items of lists, rows of tables, and lines up to an empty one."""
    start, parts, size, position = 0, list[str](), 0, 0
    fence, front, begun = "", False, False

    def done() -> Iterator[Paragraph]:
        if parts:
            yield Paragraph(start, plain("".join(parts)), position)

    for line in lines:
        text, position = line.text, line.position
        bare = text.strip()
        if not begun and bare:
            begun = True
            front = bare == "---"
            if front:
                continue
        if front:
            front = bare not in ("---", "...")
            continue
        found = _FENCE.match(text)
        if found or fence:
            yield from done()
            parts, size = [], 0
            if found and not fence:
                fence = found[1]
            elif found and found[1].startswith(fence) and bare == found[1]:
                fence = ""
            continue
        heading = _HEADING.match(text)
        if parts and (
            (not bare or heading or _ITEM.match(text) or _RULE.match(text) or bare[0] == "|")
            or size + len(text) > LONGEST_PARAGRAPH
        ):
            yield from done()
            parts, size = [], 0
        if heading:
            said = text[heading.end() :].rstrip().rstrip("#")
            yield Paragraph(line.start + heading.end(), plain(said), position, len(heading[1]))
        elif bare and not _RULE.match(text):
            mark = _QUOTE.match(text)
            skipped = mark.end() if mark else 0
            item = _ITEM.match(text, skipped)
            skipped = item.end() if item else skipped
            if not parts:
                start = line.start
            parts.append("\0" * skipped + text[skipped:])
            size += len(text)
    yield from done()


def plain(text: str) -> str:
    """Markdown with NULs for its marks."""
    for pattern in _INLINE:
        text = blanked(text, pattern)
    return text


MARKDOWN = text_format(
    "markdown", (".md", ".markdown"), "text/markdown", lambda head: False, paragraphs
)
