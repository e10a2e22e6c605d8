"""Clause 9.3 of the Enduring Testing Approach Document and F2.10A as proposed, case by case."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

PUBLIC = (("list",), ("history",), ("list", "--json"), ("history", "--json"))


def test_a_confidential_combination_is_on_no_list(desk: Any) -> None:
    shown = desk.pending("Aclara")
    hidden = desk.pending("Itron", "--confidential")
    files = desk.publish()
    assert desk.on_list("Pending") == [shown]
    everything = b"".join(files.values()).decode() + "".join(desk.done(*one) for one in PUBLIC)
    for text in (hidden, "Itron", "Asker", "testing"):
        assert text not in everything


def test_to_show_one_that_is_withheld_is_to_show_none(desk: Any) -> None:
    hidden = desk.pending("Itron", "--confidential")
    desk.publish()
    nobodys = "DMC-0123456789ABCDEF"
    one, other = desk.run("show", hidden), desk.run("show", nobodys)
    assert one.status == other.status == 2
    assert (one.out, one.err.replace(hidden, nobodys)) == ("", other.err)


def test_the_dcc_sees_it_marked(desk: Any) -> None:
    hidden = desk.pending("Itron", "--confidential")
    shown = desk.pending("Aclara")
    marks = {
        row["combination"]: row["withheld"]
        for row in desk.json("list", "--internal")["combinations"]
    }
    assert marks == {hidden: True, shown: False}
    (line,) = (
        text
        for text in desk.done("show", hidden, "--internal").splitlines()
        if text.startswith("request")
    )
    assert line.endswith("CONFIDENTIAL")


def test_becoming_eligible_it_is_published_with_that_days_date(desk: Any) -> None:
    """And nothing is added to the history of the Pending list."""
    hidden = desk.request("Itron", "--confidential", "--on", "2019-03-01")
    desk.progress(hidden, "testing", "--on", "2019-03-02")
    desk.publish("--on", "2019-03-03")
    desk.done("eligible", hidden, "--on", "2019-03-04")
    desk.publish("--on", "2019-03-05")
    (row,) = desk.json("show", hidden)["lists"]
    assert row == {
        "list": "SMETS1 Eligible Product Combinations",
        "date_first_added": "2019-03-04",
    }
    versions = {
        (one["list"].split()[1], one["version"]): one["added"]
        for one in desk.json("history")["versions"]
    }
    assert versions == {("Eligible", 1): [], ("Eligible", 2): [hidden], ("Pending", 1): []}


def test_indicated_after_it_was_listed(desk: Any) -> None:
    """It leaves with the next publication; what was published is as it was."""
    id = desk.request("Itron", "--on", "2019-03-01")
    desk.progress(id, "testing", "--on", "2019-03-01")
    before = desk.publish("--on", "2019-03-02")
    desk.done("confidential", id, "--participant", "Asker", "--on", "2019-03-03")
    assert desk.on_list("Pending") == [id]
    desk.publish("--on", "2019-03-04")
    assert desk.on_list("Pending") == []
    assert [one["version"] for one in desk.json("show", id)["versions"]] == [1]
    assert desk.json("show", id)["lists"] == []
    assert desk.publish_again("2019-03-02") == before


@pytest.mark.parametrize("end", ["confidential", "withdraw", "failed"])
def test_why_one_leaves_the_pending_list_is_not_said(desk: Any, end: str) -> None:
    """Whether it failed, was withdrawn or is treated as confidential now looks the same."""
    id = desk.request("Itron", "--on", "2019-03-01")
    desk.progress(id, "testing", "--on", "2019-03-01")
    desk.publish("--on", "2019-03-02")
    verb = ("progress", id, end) if end == "failed" else (end, id)
    desk.done(*verb, "--participant", "Asker", "--on", "2019-03-03")
    desk.publish("--on", "2019-03-04")
    *_, last = desk.json("history")["versions"]
    digest = last.pop("content_hash")
    assert last == {
        "list": "SMETS1 Pending Product Combinations",
        "version": 2,
        "publication_date": "2019-03-04",
        "added": [],
        "removed": [id],
    }
    empty = {
        "list": "SMETS1 Pending Product Combinations",
        "version": 2,
        "publication_date": "2019-03-04",
        "combinations": [],
    }
    octets = json.dumps(empty, sort_keys=True, separators=(",", ":")).encode()
    assert digest == f"sha256:{hashlib.sha256(octets).hexdigest()}"


def test_lifted_it_is_listed_as_one_that_is_asked_for_then(desk: Any) -> None:
    id = desk.request("Itron", "--confidential", "--on", "2019-03-01")
    desk.progress(id, "testing", "--on", "2019-03-02")
    desk.publish("--on", "2019-03-03")
    desk.done("confidential", id, "--participant", "Asker", "--lift", "--on", "2019-03-04")
    desk.publish("--on", "2019-03-05")
    (version,) = desk.json("show", id)["versions"]
    assert version["publication_date"] == "2019-03-05"


def test_an_indication_outlasts_the_request(desk: Any) -> None:
    id = desk.pending("Itron", "--confidential")
    desk.done("withdraw", id, "--participant", "Asker")
    answer = desk.json("request", "--participant", "Asker", *desk.described("Itron"))
    assert answer["confidential"] is True
    desk.progress(id, "developing")
    desk.publish()
    assert desk.on_list("Pending") == []


def test_what_another_asks_for_openly_is_not_withheld(desk: Any) -> None:
    """It would see from the list that somebody else is there."""
    id = desk.pending("Itron", "--confidential", participant="One")
    assert withheld(desk, id)
    assert desk.pending("Itron", participant="Another") == id
    assert not withheld(desk, id)
    desk.publish()
    assert desk.on_list("Pending") == [id]
    desk.done("withdraw", id, "--participant", "Another")
    assert withheld(desk, id)
    desk.publish()
    assert desk.on_list("Pending") == []
    desk.done("eligible", id)
    assert not withheld(desk, id)


def withheld(desk: Any, id: str) -> bool:
    return bool(desk.json("show", id, "--internal")["withheld"])


def test_nothing_is_eligible_through_one_that_is_withheld(desk: Any) -> None:
    """The Eligible list would name it."""
    hidden = desk.pending("Itron", "--confidential")
    refused = desk.run("eligible", *desk.described("Aclara"), "--through", hidden)
    nobodys = "DMC-0123456789ABCDEF"
    other = desk.run("eligible", *desk.described("Aclara"), "--through", nobodys)
    assert refused.status == 1
    assert refused.err.replace(hidden, nobodys) == other.err
