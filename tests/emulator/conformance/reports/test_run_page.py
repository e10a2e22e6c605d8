"""The HTML page: whole, harmless, and with everything in it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from emulator.conformance import DISCLAIMER, built_in
from emulator.conformance.reports import Document, to_json
from emulator.conformance.reports.page import html
from emulator.conformance.running.result import RunResult, Verdict

VOID = {"meta", "input"}
KNOWN = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "main", "section", "h1", "h2",
    "h3", "h4", "h5", "p", "dl", "dt", "dd", "div", "table", "thead", "tbody", "tfoot", "tr", "th",
    "td", "small", "form", "label", "input", "select", "option", "button", "output", "details",
    "summary", "span", "code", "ul", "ol", "li", "pre", "mark", "svg", "text", "line", "circle",
    "rect", "script",
}  # fmt: skip


class Page(HTMLParser):
    """Reads a page strictly: every element is one we know, and is closed where it must be."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: dict[str, str] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in KNOWN
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"line", "circle", "rect"}
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            self.raw[self.open[-1]] = self.raw.get(self.open[-1], "") + data
        else:
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return "".join(self.texts)


def _checked(text: str) -> Page:
    page = Page(text)
    assert len(page.of("script")) == len(page.of("style")) == 1
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(set(ids)) == len(ids)
    for _, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in ("src", "style", "srcset", "action", "formaction")
            if name == "href":
                assert value is not None
                assert value.startswith("#")
                assert value[1:] in ids
    (policy,) = [one for one in page.of("meta") if one.get("http-equiv")]
    content = policy["content"] or ""
    assert content.startswith("default-src 'none'; ")
    assert "unsafe" not in content
    for tag in ("style", "script"):
        digest = hashlib.sha256(page.raw[tag].encode()).digest()
        assert f"{tag}-src 'sha256-{base64.b64encode(digest).decode()}'" in content
    assert re.search(r"(?:https?:)?//[a-z]", text) is None
    return page


def test_everything_is_in_it(rich: Document) -> None:
    page = _checked(html(rich))
    text = page.text
    assert DISCLAIMER in text
    for case in rich["cases"]:
        assert case["id"] in text
        assert case["requirement"]["title"] in text
        assert case["requirement"]["clause"] in text
        assert case["requirement"]["origin_says"] in text
    for words in (
        "derived, no official test", "declared to fail: known since v2", "unexpected pass",
        "needs hdlc.inactivity > 0", "no association", "entry 4, octet 17", "AARE ACCEPTED NULL",
        "negotiated-conformance", "key GUEK, counter 7", "counter 8", "does not rise",
        "3 protected APDUs", "SAPs 16, 1", "connection 1", "R-AA-4", "Seed42",
    ):  # fmt: skip
        assert words in text


def test_the_matrix(rich: Document) -> None:
    page = _checked(html(rich))
    shown = {
        (one["data-show-group"], one["data-show-verdict"])
        for one in page.of("a")
        if one.get("data-show-verdict")
    }
    assert shown == {(one["requirement"]["group"], one["verdict"]) for one in rich["cases"]}
    for verdict in Verdict:
        assert verdict.value in page.text


def test_what_is_wrong_is_open(rich: Document) -> None:
    page = _checked(html(rich))
    opened = {
        one["id"] for one in page.of("details") if one.get("class") == "case" and "open" in one
    }
    assert opened == {"case-HDLC_FRAME_N2", "case-APPL_OPEN_2", "case-X_WPDU_VER"}


def test_the_octet_at_fault_is_marked(rich: Document) -> None:
    marks = re.findall(r'<mark title="at fault">([^<]*)</mark>', html(rich))
    assert sorted(marks) == ["00", "__", "__"]
    assert ">result</mark>" in html(rich)


def test_a_hostile_meter(rich: Document) -> None:
    """It says markup wherever it can say anything: none comes of it."""
    hostile = (
        "</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>'\"`&<!--"
    )

    def everywhere(value: object, name: str = "") -> object:
        words = ("verdict", "standing", "id", "group", "origin", "severity", "level", "direction")
        if isinstance(value, dict):
            return {key: everywhere(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [everywhere(one, name) for one in value]
        known = name in (*words, "octets", "started", "name", "schema", "transport")
        return hostile if isinstance(value, str) and not known else value

    document = everywhere(rich)
    assert isinstance(document, dict)
    for case in document["cases"]:
        says = case["requirement"]["evidence_says"]
        says[hostile] = hostile
    page = _checked(html(document))
    assert page.text.count("<img src=x onerror=alert(1)>") > 100
    assert not [attributes for tag, attributes in page.elements if tag == "img"]


@settings(max_examples=40)
@given(st.data())
def test_any_run(runs: SearchStrategy[RunResult], data: st.DataObject) -> None:
    document = to_json(data.draw(runs), built_in())
    page = _checked(html(document))
    cases = [one for one in page.of("details") if one.get("class") == "case"]
    assert len(cases) == len(document["cases"])


def test_of_a_long_record_the_ends_and_what_is_at_fault_are_shown(rich: Document) -> None:
    case = next(one for one in rich["cases"] if one["verdict"] == "FAILED")
    note = {**case["record"][0], "direction": "--", "level": "note", "octets": "", "text": "then"}
    case["record"] += [note] * 1000
    case["steps"][0]["differences"][0]["entry"] = 500
    shown = {
        int(match) for match in re.findall(rf'id="[^"]*{case["id"]}[^"]*-entry-(\d+)"', html(rich))
    }
    assert {0, 99, 495, 500, len(case["record"]) - 1} <= shown
    assert not shown & {200, 450, 700}
    assert len(shown) < 250
