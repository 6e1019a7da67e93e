"""XML as people have it: repeated elements are records."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sightline.ingest.errors import SourceError
from tests.ingest.conftest import facts

BOOKS = """<?xml version="1.0"?>
<!DOCTYPE shelf SYSTEM "shelf.dtd">
<shelf xmlns="http://x.example/" xmlns:dc="http://purl.org/dc/elements/1.1/" made="2020">
  <book id="b1"><title>Solaris</title><author>Lem</author>
    <price currency="EUR">9.5</price><dc:title>Sol</dc:title></book>
  <book id="b2"><title>A <i>new</i> day</title><author>Ann</author><author>Bo</author>
    <part no="1"/><part no="2"/></book>
</shelf>"""


@pytest.mark.parametrize("name", ["shelf.xml", "shelf"])
def test_repeated_elements_are_records_and_nothing_in_them_is_lost(
    name: str, load: Callable
) -> None:
    (result,) = load({name: BOOKS})
    assert set(facts(result.load)) == {
        ("entity:book/b1", "rdfs:label", "Solaris"),
        ("entity:book/b1", "property:author", "Lem"),
        ("entity:book/b1", "property:price.value", "9.5"),
        ("entity:book/b1", "property:price.currency", "EUR"),
        ("entity:book/b1", "property:dc%3Atitle", "Sol"),
        ("entity:book/b2", "rdfs:label", "A new day"),
        ("entity:book/b2", "property:author", "Ann"),
        ("entity:book/b2", "property:author", "Bo"),
    } | {fact for fact in facts(result.load) if "part" in fact[0]}
    assert len([fact for fact in facts(result.load) if fact[2] == "entity:book/b2"]) == 2
    notes = " ".join(note.text for note in result.load.notes)
    assert "1 texts with markup in them are taken without the markup" in notes
    assert "left out, beside its tables: $.made" in notes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOOKS[:-20], "no XML"),
        (BOOKS.replace('SYSTEM "shelf.dtd"', '[<!ENTITY a "aaaa">]'), "can hide a bomb"),
        (BOOKS.replace('SYSTEM "shelf.dtd"', '[<!ENTITY a SYSTEM "/etc/passwd">]'), "a bomb"),
        (BOOKS.replace("Lem", "&a;"), "line 4: no XML .undefined entity"),
        ("<a>" * 200 + "</a>" * 200, "nested more than 100 deep"),
        ("<html><body>Log in</body></html>", "an HTML page"),
        ('<?xml version="1.0" encoding="none-such"?><a/>', "none-such|unknown encoding"),
    ],
)
def test_bad_xml_is_refused_in_one_line(text: str, reason: str, load: Callable) -> None:
    with pytest.raises(SourceError, match=reason) as error:
        load({"shelf.xml": text})
    assert "\n" not in str(error.value)


def test_xml_in_another_encoding_is_read_as_it_says(load: Callable) -> None:
    text = '<?xml version="1.0" encoding="{}"?><a><b id="1"><name>Zoé</name></b><b id="2"/></a>'
    for encoding in ("utf-16", "iso-8859-1"):
        (result,) = load({f"{encoding}.xml": text.format(encoding).encode(encoding)})
        assert ("entity:b/1", "rdfs:label", "Zoé") in facts(result.load)


def test_rows_are_called_after_what_is_around_them(load: Callable) -> None:
    users = '<users><row Id="1" DisplayName="Ann"/><row Id="2" DisplayName="Bo"/></users>'
    posts = '<posts><row Id="1" OwnerUserId="2"/><row Id="2" OwnerUserId="1"/></posts>'
    found = load({"Posts.xml": posts, "Users.xml": users})
    assert ("entity:post/1", "relation:owner_user", "entity:user/2") in facts(found[0].load)
    assert ("entity:user/1", "rdfs:label", "Ann") in facts(found[1].load)
