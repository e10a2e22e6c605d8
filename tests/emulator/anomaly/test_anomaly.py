"""Threshold Anomaly Detection: what S1SP and DCO do about what is too much."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from devices.prepayment import account
from emulator.anomaly.quarantine import NotHeld
from emulator.anomaly.thresholds import Limit, ThresholdError, Volume, read_thresholds
from emulator.anomaly.watch import Watch
from emulator.database import Database, sqlite_url
from emulator.policy import Actor
from emulator.requests.documents import ServiceRequest
from emulator.requests.refusal import RequestRefused
from emulator.requests.response import Response, Result

FILE = """
[[s1sp.volume]]
user = "each"
variant = "7.2"
count = 2
period = 3600

[[s1sp.volume]]
count = 5
period = 3600

[[s1sp.value]]
variant = "2.2"
argument = "amount"
least = "1"
most = 50

[[dco.volume]]
variant = "7.3"
count = 1
period = 600

[[dco.value]]
variant = "1.5"
argument = "amount"
most = 100
"""


def test_a_file_of_thresholds() -> None:
    parties = read_thresholds(FILE)
    assert parties["s1sp"].volumes == (Volume("each", "7.2", 2, 3600), Volume("", "", 5, 3600))
    assert parties["s1sp"].limits == (Limit("2.2", "amount", Decimal(1), Decimal(50)),)
    assert parties["dco"].volumes == (Volume("", "7.3", 1, 600),)
    assert parties["dco"].limits == (Limit("1.5", "amount", None, Decimal(100)),)
    assert read_thresholds("")["dco"].volumes == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[s1sp.volume]", "no TOML"),
        ("[[dsp.volume]]", "'dsp' is no party"),
        ("[s1sp.volume]", r"written \[\[s1sp.volume\]\]"),
        ("[[s1sp.volumes]]", "something else"),
        ("[[s1sp.volume]]\ncount = 1", "s1sp.volume 1 needs count, period"),
        ("[[s1sp.volume]]\ncount = 1\nperiod = 0", "period is no whole number in 1"),
        ("[[s1sp.volume]]\ncount = -1\nperiod = 1", "count is no whole number"),
        ("[[s1sp.volume]]\ncount = true\nperiod = 1", "count is no whole number"),
        ("[[s1sp.volume]]\ncount = 1\nperiod = 1\nvariant = '9.9'", "no variant '9.9'"),
        ("[[s1sp.volume]]\ncount = 1\nperiod = 1\nuser = 'me'", "neither an EUI-64"),
        ("[[dco.value]]\nvariant = '2.2'\nargument = 'amount'", "needs least, most or both"),
        ("[[dco.value]]\nvariant = '2.2'\nargument = 'size'\nmost = 1", "no number 'size'"),
        ("[[dco.value]]\nvariant = '1.6'\nargument = 'mode'\nmost = 1", "no number 'mode'"),
        ("[[dco.value]]\nvariant = '2.2'\nargument = 'amount'\nmost = 'x'", "most is no number"),
        ("[[dco.value]]\nvariant = '2.2'\nargument = 'amount'\nmost = nan", "most is no number"),
        (
            "[[dco.value]]\nvariant = '2.2'\nargument = 'amount'\nleast = 2\nmost = 1",
            "least is more than most",
        ),
    ],
)
def test_a_file_that_is_not_right(text: str, why: str) -> None:
    with pytest.raises(ThresholdError, match=why):
        read_thresholds(text)


def test_what_is_wrong_changes_nothing(clock: Any) -> None:
    watch = Watch(Database("sqlite://"), "s1sp", clock.now)
    watch.set(FILE)
    before = watch.thresholds
    with pytest.raises(ThresholdError):
        watch.set("[[s1sp.volume]]")
    assert watch.thresholds == before


def request(originator: str = "020000FFFE000001", variant: str = "7.2") -> ServiceRequest:
    return ServiceRequest(
        originator=bytes.fromhex(originator),
        device=b"EHL\1\0\0\0\5",
        counter=1,
        variant=variant,
        arguments={},
    )


def test_a_rolling_period(clock: Any) -> None:
    """The third within an hour is one too many; each User counts by itself."""
    watch = Watch(Database("sqlite://"), "s1sp", clock.now)
    watch.set("[[s1sp.volume]]\nuser = 'each'\nvariant = '7.2'\ncount = 2\nperiod = 3600")
    assert watch.judge(request()) is None
    clock.advance(dt.timedelta(minutes=30))
    assert watch.judge(request()) is None
    assert watch.judge(request(variant="7.3")) is None
    assert watch.judge(request("020000FFFE000002")) is None
    clock.advance(dt.timedelta(minutes=29, seconds=59))
    breach = watch.judge(request())
    assert breach is not None
    assert breach.text == "3 requests; the threshold: 2 of 7.2 in 3600 s by a User"
    clock.advance(dt.timedelta(seconds=1))  # the first is an hour old now
    breach = watch.judge(request())
    assert breach is not None
    assert breach.text.startswith("3 requests")
    clock.advance(dt.timedelta(hours=1))
    assert watch.judge(request()) is None


def test_one_user_and_all_of_them(clock: Any) -> None:
    watch = Watch(Database("sqlite://"), "dco", clock.now)
    watch.set(
        "[[dco.volume]]\nuser = '020000fffe000001'\ncount = 1\nperiod = 60\n"
        "[[dco.volume]]\ncount = 3\nperiod = 60"
    )
    assert watch.judge(request()) is None
    assert watch.judge(request("020000FFFE000002")) is None
    breach = watch.judge(request())
    assert breach is not None
    assert "by 020000FFFE000001" in breach.text
    breach = watch.judge(request("020000FFFE000003"))
    assert breach is not None
    assert (
        breach.text == "4 requests; the threshold: 3 of any variant in 60 s by all Users together"
    )


def test_it_is_kept(tmp_path: Any, clock: Any) -> None:
    """Another process goes on counting where this one was."""
    url = sqlite_url(tmp_path / "dcc.db")
    Watch(Database(url), "s1sp", clock.now).set(FILE)
    for breached in (False, False, True):
        watch = Watch(Database(url), "s1sp", clock.now)
        assert (watch.judge(request()) is not None) is breached


# At the parties -----------------------------------------------------------------------------------


class Asking:
    def __init__(self, head_end: Any, meter: Any) -> None:
        self.requests, self.meter = head_end.requests, meter
        for actor in (Actor.S1SP, Actor.DCO):
            self.requests.watches[actor].set(FILE)

    async def __call__(self, number: str, **given: object) -> Response:
        meter = self.meter
        signed = self.requests.user.request(number, meter.device.title, meter.profile, given)
        response: Response = await self.requests.submit(signed, meter.address, meter.profile)
        return response

    def notices(self, actor: Actor) -> list[str]:
        return [notice.text for notice in self.requests.watches[actor].notices()]


@pytest.fixture
def asking(head_end: Any, place: Any) -> Asking:
    return Asking(head_end, place("secure"))


async def test_a_value_beyond_its_threshold_is_deleted(asking: Asking) -> None:
    before = account.balance(asking.meter.device)
    for amount in ("50.01", "0.99"):
        response = await asking("2.2", amount=amount)
        assert (response.result, response.party) == (Result.DELETED, "S1SP")
    assert account.balance(asking.meter.device) == before
    assert asking.requests.quarantine.held() == []
    assert asking.notices(Actor.S1SP) == [
        "deleted: amount is 50.01; the threshold: amount of 2.2 in 1..50",
        "deleted: amount is 0.99; the threshold: amount of 2.2 in 1..50",
    ]
    assert (await asking("2.2", amount="50")).result is Result.SUCCESS
    assert account.balance(asking.meter.device) == before + 5000


async def test_one_too_many_is_held_and_released(asking: Asking, ledger: Any) -> None:
    for _ in range(2):
        assert (await asking("7.2")).result is Result.SUCCESS
    await asking("7.1")
    meter = asking.meter
    used = len(ledger)
    response = await asking("7.2")
    assert (response.result, response.reason) == (Result.QUARANTINED, "quarantined")
    assert not [entry for entry in list(ledger)[used:] if entry.operation == "TLS handshake"]
    (held,) = asking.requests.quarantine.held()
    assert (held.number, held.variant, held.device) == (1, "7.2", meter.device.title)
    taken = asking.requests.quarantine.take_out(1)
    released = await asking.requests.release(taken, meter.address, meter.profile)
    assert released.result is Result.SUCCESS
    assert released.request.id == response.request.id
    assert asking.requests.quarantine.held() == []
    with pytest.raises(NotHeld, match="no request 1 is in quarantine"):
        asking.requests.quarantine.take_out(1)
    # Released once, it cannot go that way again: the DCO has its counter.
    again = await asking.requests.release(taken, meter.address, meter.profile)
    assert (again.result, again.party, again.reason) == (Result.REFUSED, "DCO", "replayed")


async def test_a_document_that_was_altered_in_quarantine(asking: Asking) -> None:
    for _ in range(3):
        response = await asking("7.2")
    assert response.result is Result.QUARANTINED
    taken = asking.requests.quarantine.take_out(1)
    bent = taken._replace(document=taken.document.replace(b'"7.2"', b'"7.1"'))
    released = await asking.requests.release(bent, asking.meter.address, asking.meter.profile)
    assert (released.result, released.reason) == (Result.REFUSED, "not-authentic")


async def test_the_dco_detects_and_does_not_quarantine(asking: Asking, ledger: Any) -> None:
    assert (await asking("7.3")).result is Result.SUCCESS
    used = len(ledger)
    response = await asking("7.3")
    assert (response.result, response.party, response.reason) == (
        Result.REFUSED, "DCO", "anomalous",
    )  # fmt: skip
    assert asking.notices(Actor.DCO) == [
        "refused: 2 requests; the threshold: 1 of 7.3 in 600 s by all Users together"
    ]
    assert asking.notices(Actor.S1SP) == []
    assert asking.requests.quarantine.held() == []
    assert not [e for e in list(ledger)[used:] if e.actor is Actor.DCO and e.keys]
    response = await asking("1.5", operation="adjust", amount="100.01")
    assert (response.result, response.party) == (Result.REFUSED, "DCO")
    response = await asking("1.5", operation="adjust", amount="100")
    assert response.result is Result.SUCCESS


async def test_the_dco_has_eyes_of_its_own(asking: Asking) -> None:
    """Whatever thresholds the S1SP has, or has no more."""
    asking.requests.watches[Actor.S1SP].set("")
    await asking("7.3")
    assert (await asking("7.3")).reason == "anomalous"


async def test_instructions_by_name_are_watched_as_well(asking: Asking, head_end: Any) -> None:
    meter = asking.meter
    await head_end.instruct(meter.address, meter.profile, "arm_supply")
    with pytest.raises(RequestRefused, match="beyond a threshold"):
        await head_end.instruct(meter.address, meter.profile, "arm_supply")
