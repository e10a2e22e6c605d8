"""HTML is made of elements alone: no text, and no value of an attribute, becomes markup."""

from __future__ import annotations

import re

from emulator.conformance.reports.markup import Markup, facts, joined, tag
from emulator.conformance.reports.page_case import Anchors

HOSTILE = "\"><script>alert('1')</script>&"
HARMLESS = "&quot;&gt;&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;&amp;"


def test_text_and_attributes_are_escaped() -> None:
    assert tag("p", HOSTILE, title=HOSTILE) == f'<p title="{HARMLESS}">{HARMLESS}</p>'
    assert tag("p", tag("b", "x"), HOSTILE) == f"<p><b>x</b>{HARMLESS}</p>"
    assert joined((HOSTILE, Markup("<br>"))) == f"{HARMLESS}<br>"
    assert HOSTILE not in facts([(HOSTILE, HOSTILE)], class_=HOSTILE)


def test_attributes() -> None:
    assert tag("input", class_="a", data_x=3, hidden=True, open=False, id=None) == (
        '<input class="a" data-x="3" hidden>'
    )


def test_anchors_are_different() -> None:
    anchors = Anchors()
    given = [anchors.of(one) for one in ("A_1", "A_1", "A 1", "A_1", HOSTILE)]
    assert given[:2] == ["case-A_1", "case-A_1--2"]
    assert len(set(given)) == len(given)
    assert all(re.fullmatch(r"case-[A-Za-z0-9_.-]+", one) for one in given)
