"""Which encoding the text of a source is in.

Knows bytes; knows no format. UTF-8 is what most text is and costs a check and nothing more. UTF-16
is told by its mark, or by the zeros that every second byte of it is. What is neither is taken for
Windows-1252, of which Latin-1 is the part that both have; where letters beyond ASCII stand beside
each other, as in no Latin script, charset-normalizer tells which encoding it is.
"""

from __future__ import annotations

import codecs
import re

#: Byte order marks, the longer first, with the encoding that each begins.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: What people call the encodings that are found.
NAMES = {
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1 (ISO 8859-1)",
}
#: Encodings besides Windows-1252 that a text without a mark may be in.
LEGACY = (
    *("cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "cp949"),
)
#: Encodings that are guessed, so that a person should look at letters beyond ASCII.
GUESSED = ("cp1252", "latin-1", *LEGACY)
#: With fewer bytes beyond ASCII there is nothing to tell an encoding by.
FEW = 10
#: Bytes of Windows-1252 that no text has, but Latin-1 gives a control character.
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]{2,}")
_HIGH_LINE = re.compile(rb"[^\n]*[\x80-\xff][^\n]*")
SAMPLE = 1 << 16


def wide(head: bytes) -> str | None:
    """The UTF-16 or UTF-32 encoding of a text that begins so, or None."""
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    sample = head[:SAMPLE]
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = sample[first::2].count(0), sample[1 - first :: 2].count(0)
        if zeros * 20 > len(sample) and zeros > 1 and others * 50 < zeros:
            whole = sample[: len(sample) // 2 * 2]
            beside = (b for zero, b in zip(whole[first::2], whole[1 - first :: 2]) if not zero)
            # What stands beside a zero byte is a character of ASCII.
            printed = all(b >= 32 or b in b"\t\n\r" for b in beside)
            if printed and "\0" not in whole.decode(name, errors="replace"):
                return name
    return None


def is_utf8(data: bytes, cut: bool) -> bool:
    """Whether bytes are UTF-8 but for single damaged places.

    Args:
        cut: a character may be cut at their end.
    """
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=not cut)
        return True
    except UnicodeDecodeError:
        text = data.decode("utf-8", errors="replace")
        damaged = text.count("\ufffd")
        return len(re.findall(r"[^\x00-\x7f\ufffd]", text)) > damaged


def narrow(data: bytes) -> str:
    """The encoding of a text that is neither UTF-8 nor UTF-16, from its lines beyond ASCII."""
    sample = b"\n".join(_HIGH_LINE.findall(data))[:SAMPLE]
    usual = "latin-1" if _UNDEFINED.search(sample) else "cp1252"
    # Beyond the Latin script, letters that are not of ASCII stand beside each other.
    high = len(_HIGH.findall(sample))
    if high < FEW or sum(map(len, _HIGH_RUN.findall(sample))) * 2 < high:
        return usual
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=list(LEGACY), threshold=0.6).best()
    return usual if best is None else best.encoding


def name_of(encoding: str) -> str:
    """What people call an encoding."""
    return NAMES.get(encoding, encoding.upper().replace("_", "-"))


def canonical(name: str) -> str:
    """The encoding of a name; None of UTF-8 is needed, so that it is read as it is.

    Raises:
        LookupError: there is no such encoding of text.
    """
    info = codecs.lookup(name)
    if not info._is_text_encoding:
        raise LookupError(name)
    return info.name
