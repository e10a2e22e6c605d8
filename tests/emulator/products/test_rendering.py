"""The published files: CSV, JSON and HTML say the same."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from emulator.products.combination import Combination, combination
from emulator.products.device_model import DeviceModel, DeviceType, device_model
from emulator.products.lists import ListKind, ListRow
from emulator.products.publication import Publication
from emulator.products.rendering import as_csv, as_html, as_json, files_of

ESME = device_model("ESME", "O'Neill & Sons", "M/1", "1", "1.0.0")
GSME = device_model("GSME", "Itron", "RF1 (G4), new", "1", "1.0.0")
THROUGH = "DMC-0123456789ABCDEF"
ROW = ListRow(
    combination=combination([ESME, GSME], "CSP North"),
    first_added=date(2019, 3, 4),
    through=THROUGH,
)
ELIGIBLE = Publication(kind=ListKind.ELIGIBLE, version=3, day=date(2019, 3, 26), rows=(ROW,))
PENDING = Publication(
    kind=ListKind.PENDING,
    version=2,
    day=date(2019, 3, 26),
    rows=(ListRow(combination=ROW.combination),),
)


class Page(HTMLParser):
    """The elements and the cells of a page; every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[list[str]] = []
        self.texts: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("td", "th"):
            self.cells[-1][-1] += data
        elif self._open:
            self.texts[self._open[-1]] = self.texts.get(self._open[-1], "") + data


@pytest.mark.parametrize("publication", [ELIGIBLE, PENDING], ids=["eligible", "pending"])
def test_csv(publication: Publication) -> None:
    text = as_csv(publication)
    about, table = text.splitlines(keepends=True)[:4], text.splitlines(keepends=True)[4:]
    assert "".join(about) == (
        f"# list: {publication.kind.value}\r\n# version: {publication.version}\r\n"
        f"# publication date: 2019-03-26\r\n# content hash: {publication.content_hash}\r\n"
    )
    rows = [*csv.DictReader(io.StringIO("".join(table), newline=""), strict=True)]
    assert [row["manufacturer"] for row in rows] == ["O'Neill & Sons", "Itron"]
    assert [row["model"] for row in rows] == ["M/1", "RF1 (G4), new"]
    assert {row["combination"] for row in rows} == {ROW.combination.id}
    assert {row["csp"] for row in rows} == {"CSP North"}
    dates = {row.get("date_first_added") for row in rows}
    assert dates == ({"2019-03-04"} if publication is ELIGIBLE else {None})


def test_json() -> None:
    found = json.loads(as_json(ELIGIBLE))
    assert found["list"] == "SMETS1 Eligible Product Combinations"
    assert (found["version"], found["publication_date"]) == (3, "2019-03-26")
    assert found["content_hash"] == ELIGIBLE.content_hash
    (row,) = found["combinations"]
    assert (row["date_first_added"], row["tested_through"]) == ("2019-03-04", THROUGH)
    assert [one["device_type"] for one in row["device_models"]] == ["ESME", "GSME"]
    (pending,) = json.loads(as_json(PENDING))["combinations"]
    assert set(pending) == {"combination", "csp", "device_models"}


@pytest.mark.parametrize("publication", [ELIGIBLE, PENDING], ids=["eligible", "pending"])
def test_html_is_one_page_with_a_table_that_can_be_read_out(publication: Publication) -> None:
    page = Page(as_html(publication))
    tags = [tag for tag, _ in page.elements]
    assert not {"script", "link", "img", "iframe", "a"} & {*tags}
    assert not [name for _, attributes in page.elements for name in attributes if name[:2] == "on"]
    assert tags.count("table") == tags.count("caption") == tags.count("h1") == 1
    assert dict(page.elements[tags.index("html")][1]) == {"lang": "en-GB"}
    for tag, attributes in page.elements:
        assert tag != "th" or attributes["scope"] in ("col", "row", "rowgroup")
    assert page.texts["h1"] == page.texts["title"] == publication.kind.value
    assert page.texts["caption"] == f"{publication.kind.value}: 1 combination"
    assert page.texts["time"] == "2019-03-26"
    assert page.texts["code"] == publication.content_hash
    header, first, second = page.cells
    ends = ["2019-03-04", THROUGH] if publication is ELIGIBLE else []
    assert first == [ROW.combination.id, "CSP North", *ESME.texts, *ends]
    assert second == [*GSME.texts]
    assert len(header) == len(first)


def test_html_is_escaped_whatever_stands_in_it() -> None:
    """The register takes no such text; the page does not rely on that."""
    hostile = "<script>alert('x')</script>\"&"
    model = DeviceModel(DeviceType.ESME, hostile, hostile, hostile, hostile)
    row = ListRow(combination=Combination(models=(model,), csp=hostile))
    page = Page(as_html(Publication(kind=ListKind.PENDING, version=1, day=date.min, rows=(row,))))
    assert "script" not in {tag for tag, _ in page.elements}
    assert page.cells[1][1:] == [hostile, "ESME", *[hostile] * 4]


def test_an_empty_list_is_a_list() -> None:
    empty = Publication(kind=ListKind.PENDING, version=1, day=date(2019, 3, 26), rows=())
    page = Page(as_html(empty))
    assert page.texts["caption"].endswith(": 0 combinations")
    assert len(page.cells) == 1
    assert as_csv(empty).count("\r\n") == 5
    assert json.loads(as_json(empty))["combinations"] == []


def test_the_hash_is_of_all_that_is_said() -> None:
    def changed(**changes: Any) -> str:
        fields = {"kind": ELIGIBLE.kind, "version": 3, "day": ELIGIBLE.day, "rows": ELIGIBLE.rows}
        return Publication(**{**fields, **changes}).content_hash

    other = ListRow(combination=ROW.combination, first_added=date(2019, 3, 5), through=THROUGH)
    hashes = {
        ELIGIBLE.content_hash,
        changed(kind=ListKind.PENDING),
        changed(version=4),
        changed(day=date(2019, 3, 27)),
        changed(rows=()),
        changed(rows=(other,)),
    }
    assert len(hashes) == 6
    assert changed() == ELIGIBLE.content_hash


def test_files_are_named_for_the_lists() -> None:
    stems = ("smets1-eligible-product-combinations", "smets1-pending-product-combinations")
    names = [*files_of(ELIGIBLE), *files_of(PENDING)]
    assert names == [f"{stem}.{kind}" for stem in stems for kind in ("csv", "json", "html")]
