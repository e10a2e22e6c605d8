"""Lists from CSV: what they say is in the register afterwards, or nothing is and each line that is
wrong is named.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HEADER = (
    "combination,csp,device_type,manufacturer,model,hardware_version,firmware_version,"
    "date_first_added,tested_through\n"
)
ELIGIBLE = HEADER + (
    "one,CSP North,ESME,Aclara,SGM1300,1,1.0.0,2019-03-01,\n"
    "one,CSP North,GSME,Itron,RF1 G4,1,1.0.0,2019-03-01,\n"
    "two,CSP South,ESME,Aclara,SGM1300,1,1.0.0,2019-03-04,one\n"
)
REQUESTS = (
    "combination,csp,device_type,manufacturer,model,hardware_version,firmware_version,"
    "participant,participant_kind,confidential,progress\n"
    "a,CSP North,ESME,Aclara,SGM1300,1,1.0.0,Asker,party,no,testing\n"
    "a,CSP North,GSME,Itron,RF1 G4,1,1.0.0,Asker,party,no,testing\n"
    "b,CSP North,ESME,Secure,Liberty 100,1,1.0.0,Maker,manufacturer,yes,developing\n"
    "b,CSP North,ESME,Secure,Liberty 100,1,1.0.0,Asker,party,no,requested\n"
)


@pytest.fixture
def take(desk: Any, tmp_path: Path) -> Callable[..., Any]:
    """Import a text or octets."""

    def run(text: str | bytes, *more: str) -> Any:
        file = tmp_path / "in.csv"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return desk.run("import", str(file), *more)

    return run


def test_an_eligible_list(desk: Any, take: Callable[..., Any]) -> None:
    assert take(ELIGIBLE).status == 0
    desk.publish()
    (eligible, pending) = desk.json("list")["lists"]
    rows = {row["csp"]: row for row in eligible["combinations"]}
    assert rows["CSP North"]["date_first_added"] == "2019-03-01"
    assert rows["CSP South"]["date_first_added"] == "2019-03-04"
    assert rows["CSP South"]["tested_through"] == rows["CSP North"]["combination"]
    assert len(rows["CSP North"]["device_models"]) == 2
    assert pending["combinations"] == []


def test_order_of_lines_does_not_matter(desk: Any, take: Callable[..., Any]) -> None:
    header, first, *others, last = ELIGIBLE.splitlines()
    assert take("\n".join([header, last, first, *others])).status == 0
    assert len(desk.json("list", "--internal")["combinations"]) == 2


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b""], ids=["excel", "plain"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_as_spreadsheets_write_it(take: Callable[..., Any], start: bytes, end: str) -> None:
    assert take(start + ELIGIBLE.replace("\n", end).encode()).status == 0


def test_requests(desk: Any, take: Callable[..., Any]) -> None:
    assert take(REQUESTS, "--on", "2019-03-01").status == 0
    found = {
        (row["csp"], request["participant"]): (request["progress"], request["confidential"])
        for row in desk.json("list", "--internal")["combinations"]
        for request in row["requests"]
        if len(row["device_models"]) == 1
    }
    assert found == {
        ("CSP North", "Maker"): ("developing", True),
        ("CSP North", "Asker"): ("requested", False),
    }
    desk.publish()
    (shown,) = desk.on_list("Pending")
    assert len(desk.json("show", shown)["device_models"]) == 2


def test_what_was_published_can_be_taken_elsewhere(
    desk: Any, take: Callable[..., Any], make_desk: Callable[[Path], Any], tmp_path: Path
) -> None:
    take(ELIGIBLE)
    files = desk.publish("--on", "2019-03-26")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = make_desk(elsewhere)
    other.done("import", str(desk.lists / "smets1-eligible-product-combinations.csv"))
    assert other.publish("--on", "2019-03-26") == files


def test_every_cut_of_a_published_list_is_refused(
    desk: Any, take: Callable[..., Any], make_desk: Callable[[Path], Any], tmp_path: Path
) -> None:
    """Half-written, it is not taken: neither all nor some of it."""
    take(ELIGIBLE)
    whole = desk.publish()["smets1-eligible-product-combinations.csv"]
    file = tmp_path / "cut.csv"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = make_desk(elsewhere)
    ending = len(whole.rstrip(b"\r\n"))
    for length in range(0, ending, 17):
        file.write_bytes(whole[:length])
        refused = other.run("import", str(file))
        assert refused.status == 2, length
        assert refused.err.startswith(f"cosemlab: {file}:")
    assert other.everything()[0] == [[], []]
    file.write_bytes(whole[:ending])
    assert other.run("import", str(file)).status == 0


LINE = "{},CSP North,ESME,Aclara,SGM1300,1,1.0.0,2019-03-01,\n"
WRONG: list[tuple[str | bytes, list[str]]] = [
    ("", [":1: it has no header"]),
    ("# list: x\n\n", [":3: it has no header"]),
    (b"combination\n\xff", [":2: is not UTF-8"]),
    ("a,b\n", [":1: the header lacks"]),
    (HEADER.replace("csp,", ""), [":1: the header lacks csp"]),
    (HEADER.replace("csp,", "csp,note,"), [":1: the header has 'note', which is none"]),
    (HEADER.replace("csp,", "csp,csp,"), [":1: has column 'csp' more than once"]),
    (HEADER.replace(",date_first_added,tested_through", ""), [":1: it does not say who has asked"]),
    (HEADER + "one,CSP\n", [":2: has 2 cells where the header has 9"]),
    (HEADER + LINE.format('"one'), [":2: is no CSV: unexpected end of data"]),
    (HEADER + LINE.format(""), [":2: combination is empty"]),
    (HEADER + LINE.format("DMC-1"), [":2: DMC-1 is not the number of this combination: DMC-"]),
    (HEADER + 2 * LINE.format("one"), [":3: the Device Model of ", "in.csv:2 a second time"]),
    (HEADER + LINE.format("one") + LINE.format("two"), [":3: the same combination as "]),
    (ELIGIBLE.replace("GSME", "gas"), [":3: device type 'gas' is none of ESME, GSME, CHF"]),
    (ELIGIBLE.replace("SGM1300", "=1+1"), [":2: model '=1+1' does not", ":4: model '=1+1'"]),
    (ELIGIBLE.replace("SGM1300", '"SGM\n1300"'), [":3: model 'SGM\\n1300' has a", ":6: model"]),
    (ELIGIBLE.replace("GSME,Itron", "GSME,"), [":3: manufacturer is empty"]),
    (ELIGIBLE.replace("2019-03-01", "1.3.2019"), [":2: '1.3.2019' is no date like 2019-03-26"]),
    (ELIGIBLE.replace("2019-03-01", "20190301"), [":2: '20190301' is no date"]),
    (ELIGIBLE.replace("2019-03-04", "2019-02-30"), [":4: '2019-02-30' is no date"]),
    (ELIGIBLE.replace("2019-03-04", "2999-01-01"), [":4: 2999-01-01 has not come yet"]),
    (ELIGIBLE.replace("North,GSME", "South,GSME"), [":3: csp is not that of "]),
    (ELIGIBLE.replace("2019-03-04,one", "2019-03-04,three"), [":4: 'three' is no number"]),
    (ELIGIBLE.replace("2019-03-04,one", "2019-02-04,one"), [":4: DMC-", " is not on the Eligible"]),
    (ELIGIBLE.replace("2019-03-04,one", "2019-03-04,two"), [":4: it is tested through itself"]),
    (REQUESTS.replace("Asker,party,no,r", "Maker,party,no,r"), [":5: participant_kind is not"]),
    (REQUESTS.replace("yes", "maybe"), [":4: confidential 'maybe' is none of yes, no"]),
    (REQUESTS.replace("manufacturer,yes", "user,yes"), [":4: participant_kind 'user' is none of"]),
    (REQUESTS.replace("yes,dev", "yes,failed,"), [":4: has 12 cells"]),
    (REQUESTS.replace("developing", "failed"), [":4: progress 'failed' is none of requested, dev"]),
    (REQUESTS.replace("Maker", "@Maker"), [":4: participant '@Maker' does not begin"]),
    (REQUESTS + REQUESTS.splitlines()[4].replace("b,", "c,", 1), [":6: the same request as"]),
]


@pytest.mark.parametrize(("text", "problems"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_named_by_its_line(
    desk: Any, take: Callable[..., Any], text: str | bytes, problems: list[str]
) -> None:
    desk.pending("Itron")
    before = desk.everything()
    refused = take(text)
    assert refused.status in (1, 2)
    assert refused.out == ""
    for problem in problems:
        assert problem in refused.err
    assert desk.everything() == before


def test_all_that_is_wrong_is_named_at_once(take: Callable[..., Any]) -> None:
    lines = [LINE.format(f"n{number}").replace("Aclara", "=") for number in range(60)]
    refused = take(HEADER + "".join(lines))
    said = refused.err.splitlines()
    assert len(said) == 51
    assert said[-1] == "cosemlab: and 10 more"


def test_nothing_is_taken_if_one_is_there_already(desk: Any, take: Callable[..., Any]) -> None:
    first = "".join(ELIGIBLE.splitlines(keepends=True)[:3])
    assert take(first).status == 0
    before = desk.everything()
    refused = take(ELIGIBLE)
    assert refused.status == 1
    assert ":2: DMC-" in refused.err
    assert "is on the Eligible list since 2019-03-01" in refused.err
    assert desk.everything() == before


@pytest.mark.parametrize(
    ("there", "here", "problem"),
    [
        ("North", "South", "the rest is not what this was made of"),
        ("version: 1", "version: 2", "the rest is not what this was made of"),
        ("version: 1", "version: one", ":2: the version is no number"),
        ("date: 2", "date: x", ":3: "),
        ("# version: 1\r\n", "", "no line with the version"),
        ("list: SMETS1 Eligible", "list: SMETS1 Pending", ":1: the columns are those of"),
    ],
)
def test_a_published_list_that_was_changed(
    desk: Any, take: Callable[..., Any], there: str, here: str, problem: str
) -> None:
    desk.done("eligible", *desk.described("Aclara"))
    text = desk.publish()["smets1-eligible-product-combinations.csv"].decode()
    assert there in text
    number = desk.json("list", "--internal")["combinations"][0]["combination"]
    refused = take(text.replace(there, here).replace(number, "one"))
    assert refused.status == 2
    assert problem in refused.err


def test_too_much(take: Callable[..., Any]) -> None:
    assert "has more than 4194304 octets" in take(b"x" * (4 * 1024 * 1024 + 1)).err
    assert "has more than 20000 lines" in take("\n" * 20_001).err
    assert "in.csv:2: is no CSV: field larger than" in take(HEADER + "x" * 200_000).err
