"""XML of strangers: bounded, without entities, and every refusal says the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.importing import tree
from emulator.importing.tree import XmlError, parse

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY lol "lol">
 <!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
]>
<Objects>&lol2;</Objects>"""
OUTSIDE = b"""<?xml version="1.0"?>
<!DOCTYPE x SYSTEM "file:///etc/passwd">
<Objects/>"""
ENTITY = b"""<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><Objects>&y;</Objects>"""


def test_tags_attributes_text_and_lines() -> None:
    root = parse(b'<Objects>\n  <A Type="6"> 5 </A>\n  <A/>\n  <B><C>x</C></B>\n</Objects>')
    assert (root.tag, root.line) == ("Objects", 1)
    assert [(one.tag, one.line) for one in root.children] == [("A", 2), ("A", 3), ("B", 4)]
    assert root.children[0].attributes == {"Type": "6"}
    assert root.said("A") == "5"
    assert len(list(root.all("A"))) == 2
    assert root.said("B") is None
    assert root.said("D") is None
    inner = root.child("B")
    assert inner is not None
    assert inner.said("C") == "x"


@pytest.mark.parametrize(("octets", "line"), [(BOMB, 2), (OUTSIDE, 2), (ENTITY, 1)])
def test_a_document_type_is_refused(octets: bytes, line: int) -> None:
    with pytest.raises(XmlError, match=rf"^{line}: a document type is refused"):
        parse(octets)


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b"", "1: no element found"),
        (b"<a>\n<b>\n</a>", "3: mismatched tag"),
        (b"<a>&nothing;</a>", "1: undefined entity"),
        (b"<a>\n\x00</a>", "2: not well-formed"),
        (b"<a/>\n<b/>", "2: junk after document element"),
        (b'<?xml version="1.0" encoding="nothing"?><a/>', "1: unknown encoding"),
        (b"\xff\xfe", "1: "),
    ],
)
def test_no_xml(octets: bytes, problem: str) -> None:
    with pytest.raises(XmlError) as caught:
        parse(octets)
    assert str(caught.value).startswith(problem)


def test_depth_is_bounded() -> None:
    most = tree.MAX_DEPTH
    assert parse(b"<a>" * most + b"</a>" * most).tag == "a"
    with pytest.raises(XmlError, match=r"^65: nested deeper than 64$"):
        parse(b"<a>\n" * (most + 1) + b"</a>" * (most + 1))


def test_the_number_of_elements_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_ELEMENTS", 10)
    assert len(parse(b"<a>" + b"<b/>" * 9 + b"</a>").children) == 9
    with pytest.raises(XmlError, match="1: more than 10 elements"):
        parse(b"<a>" + b"<b/>" * 10 + b"</a>")


def test_the_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_OCTETS", 10)
    assert parse(b"<a>456</a>").text == "456"
    with pytest.raises(XmlError, match="more than 10 octets"):
        parse(b"<a>4567</a>")


@given(st.binary(max_size=200))
def test_any_octets_are_a_tree_or_an_error(octets: bytes) -> None:
    problem = "1: none"
    try:
        parse(b"<a>" + octets + b"</a>")
    except XmlError as error:
        problem = str(error)
    assert problem.partition(":")[0].isdecimal()
