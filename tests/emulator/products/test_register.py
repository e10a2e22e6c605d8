"""The register: what a combination is, what may come after what, the date first added."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.products.combination import combination
from emulator.products.device_model import device_model
from emulator.products.errors import ProductsError
from emulator.products.testing import AFTER, Progress
from emulator.products.texts import text

ESME = ("ESME", "Aclara", "SGM1300", "1", "1.0.0")
GSME = ("GSME", "Itron", "RF1 G4", "1", "1.0.0")


def status(desk: Any, id: str) -> str:
    return str(desk.json("show", id, "--internal")["status"])


def test_the_number_is_of_what_is_in_it() -> None:
    both = [device_model(*ESME), device_model(*GSME)]
    one = combination(both, "CSP North")
    assert one.id == combination(reversed(both), " CSP North ").id
    others = [
        combination(both, "CSP South"),
        combination(both[:1], "CSP North"),
        combination([device_model(*ESME[:4], "1.0.1"), both[1]], "CSP North"),
        combination([device_model("ESME", "ACLARA", *ESME[2:]), both[1]], "CSP North"),
    ]
    assert len({one.id, *(other.id for other in others)}) == 5


def test_the_later_generations_formats_are_taken_as_well() -> None:
    model = device_model("esme", "AB01", "010A030B", "030B", "0002012F")
    assert str(model) == "ESME AB01, 010A030B, 030B, 0002012F"


@pytest.mark.parametrize(
    ("models", "problem"),
    [
        ([], "at least one Device Model"),
        ([ESME, ESME], "ESME Aclara, SGM1300, 1, 1.0.0 is in the combination twice"),
        ([(*ESME[:4], str(number)) for number in range(17)], "at most 16"),
    ],
)
def test_what_is_no_combination(models: list[tuple[str, ...]], problem: str) -> None:
    with pytest.raises(ProductsError, match=problem):
        combination((device_model(*one) for one in models), "CSP")


@pytest.mark.parametrize(
    "wrong", ["", "  ", "=1+1", "-1", "@x", "+1", "a\tb", "a\nb", "a<b", "a\u202eb", "a" * 65]
)
def test_what_is_no_text(wrong: str) -> None:
    with pytest.raises(ProductsError, match=r"^model "):
        text(wrong, "model")


def test_texts_are_composed() -> None:
    assert text(" E\u0301lectricite\u0301 ", "x") == "\u00c9lectricit\u00e9"


def test_from_request_to_eligible(desk: Any) -> None:
    id = desk.request("Aclara")
    assert status(desk, id) == "requested"
    desk.publish()
    assert desk.on_list("Pending") == []  # whether testing is required is not determined yet
    for word in ("developing", "testing", "developing", "testing"):
        desk.progress(id, word)
        assert status(desk, id) == "pending"
        desk.publish()
        assert desk.on_list("Pending") == [id]
    desk.done("eligible", id)
    assert status(desk, id) == "eligible"
    desk.publish()
    assert desk.on_list("Pending") == []
    assert desk.on_list("Eligible") == [id]
    (request,) = desk.json("show", id, "--internal")["requests"]
    assert request["progress"] == "completed"


@pytest.mark.parametrize("end", ["failed", "not-required", "withdrawn"])
def test_ends(desk: Any, end: str) -> None:
    id = desk.request("Aclara")
    if end == "failed":
        desk.progress(id, "testing")
    if end == "withdrawn":
        desk.done("withdraw", id, "--participant", "Asker")
    else:
        desk.progress(id, end)
    assert status(desk, id) == end
    for word in ("developing", "testing", "failed", "not-required"):
        assert desk.run("progress", id, word, "--participant", "Asker").status == 1
    assert desk.run("withdraw", id, "--participant", "Asker").status == 1
    assert desk.request("Aclara") == id  # it may be asked for again
    assert status(desk, id) == "requested"


def test_every_end_is_an_end_and_nothing_else_is() -> None:
    assert {one for one in Progress if one not in AFTER} == {
        Progress.NOT_REQUIRED, Progress.FAILED, Progress.WITHDRAWN, Progress.COMPLETED,
    }  # fmt: skip


def test_the_strongest_request_counts(desk: Any) -> None:
    id = desk.pending("Aclara", participant="One")
    desk.request("Aclara", participant="Two")
    desk.progress(id, "failed", participant="One")
    assert status(desk, id) == "requested"
    desk.progress(id, "testing", participant="Two")
    assert status(desk, id) == "pending"


def test_what_is_eligible_is_not_tested(desk: Any) -> None:
    id = desk.pending("Aclara")
    desk.done("eligible", id)
    refused = desk.run("request", "--participant", "Other", *desk.described("Aclara"))
    assert refused.status == 1
    assert refused.err == (
        f"cosemlab: {id} is on the Eligible list: there is nothing to test (H14.36A)\n"
    )


def test_the_date_first_added_never_changes(desk: Any) -> None:
    answer = desk.json("eligible", *desk.described("Aclara"), "--on", "2019-03-01")
    id = answer["combination"]
    desk.publish("--on", "2019-03-02")
    desk.done("withdraw", id, "--on", "2019-03-03")
    desk.publish("--on", "2019-03-04")
    assert desk.on_list("Eligible") == []
    assert status(desk, id) == "withdrawn"
    again = desk.json("eligible", id, "--on", "2019-03-05")
    assert again["date_first_added"] == "2019-03-01"
    desk.publish("--on", "2019-03-06")
    (row,) = desk.json("show", id)["lists"]
    assert row["date_first_added"] == "2019-03-01"


def test_tested_through_another(desk: Any) -> None:
    tested = desk.json("eligible", *desk.described("Aclara"))["combination"]
    other = desk.described("Aclara", "CSP South")
    answer = desk.json("eligible", *other, "--through", tested)
    assert answer["tested_through"] == tested
    desk.publish()
    (row,) = desk.json("show", answer["combination"])["lists"]
    assert row["tested_through"] == tested
    desk.done("withdraw", tested)
    refused = desk.run("eligible", *desk.described("Itron"), "--through", tested)
    assert refused.status == 1
    assert f"{tested} is not on the Eligible list" in refused.err


def test_the_register_of_a_day(desk: Any) -> None:
    id = desk.request("Aclara", "--on", "2019-03-01")
    desk.progress(id, "testing", "--on", "2019-03-03")
    desk.progress(id, "failed", "--on", "2019-03-05")
    found = {}
    for day in ("2019-02-28", "2019-03-02", "2019-03-03", "2019-03-04", "2019-03-05"):
        rows = desk.json("list", "--internal", "--as-of", day)["combinations"]
        found[day[-2:]] = [row["status"] for row in rows]
    assert found == {
        "28": [], "02": ["requested"], "03": ["pending"], "04": ["pending"], "05": ["failed"],
    }  # fmt: skip
