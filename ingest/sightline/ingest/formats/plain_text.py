"""Plain text: sentences in paragraphs, which empty lines part.

Knows what prose looks like beside tables that are called ``.txt`` too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sightline.ingest.formats.prose import LONGEST_PARAGRAPH, Line, Paragraph, text_format

#: Of the characters looked at to tell prose.
SAMPLE = 20_000
#: A line of so many words without separators is prose, whether it has full stops or not.
LONG_LINE = 30
_SENTENCE_END = re.compile(r"\w{2,}[\"'”’)\]]*[.!?…][\"'”’)\]]*(\s|$)|[。！？]")
_WORD = re.compile(r"[^\W\d_]{2,}|[\u3040-\u30ff\u3400-\u9fff]")


def paragraphs(lines: Iterator[Line]) -> Iterator[Paragraph]:
    """Lines up to an empty one."""
    start, parts, size, position = 0, list[str](), 0, 0
    for line in lines:
        position = line.position
        if parts and (not line.text.strip() or size + len(line.text) > LONGEST_PARAGRAPH):
            yield Paragraph(start, "".join(parts), position)
            parts, size = [], 0
        if line.text.strip():
            if not parts:
                start = line.start
            parts.append(line.text)
            size += len(line.text)
    if parts:
        yield Paragraph(start, "".join(parts), position)


def is_prose(head: bytes) -> bool:
    """Whether a text is made of sentences, and no table: few tabs, enough words between full
    stops or in a line, and lines that do not all hold the same number of commas or semicolons."""
    text = head[:SAMPLE].decode("utf-8", "ignore")
    lines = [line for line in text.splitlines() if line.strip()]
    ends = len(_SENTENCE_END.findall(text))
    words = len(_WORD.findall(text))
    if not lines or 10 * sum("\t" in line for line in lines) > len(lines):
        return False
    separators = sum(map(text.count, ",;|"))
    if words >= LONG_LINE * len(lines) and 5 * separators < words:
        return True
    if len(lines) > 2 and any(
        len({line.count(mark) for line in lines[:50]}) == 1 and mark in lines[0]
        for mark in (",", ";", "|")
    ):
        return False
    ended = sum(bool(_SENTENCE_END.search(line)) for line in lines)
    return ends > 0 and words >= 8 and 3 <= words / ends <= 80 and 6 * ended >= len(lines)


TEXT = text_format("text", (".txt", ".text"), "text/plain", is_prose, paragraphs)
