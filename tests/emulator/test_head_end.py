"""What the head end does to each meter, read back from the meter itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from devices.objects.token_gateway import TOKEN_SCOPE, TokenStatus
from devices.prepayment import account
from devices.profile import Profile, available, gas, load
from devices.profile.model import SetStep
from devices.token import make_token
from dlms.association.config import AssociationKeys
from dlms.association.events import AssociationRefused
from dlms.axdr.data import (
    NULL,
    Data,
    double_long,
    double_long_unsigned,
    enum,
    octet_string,
    structure,
)
from dlms.client.refusals import AccessRefused, AssociationRejected, MeterRefusal, ServiceException
from dlms.cosem import classes, obis
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.client import Refused
from emulator.client.targets import Wanted
from emulator.head_end.association import associate
from emulator.head_end.services import (
    TOKEN_GATEWAY,
    HeadEnd,
    InstructionRefused,
    clock_time,
    payment_mode,
)
from emulator.head_end.token_counters import TokenCounters
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor, Purpose
from tls.events import HandshakeError, Reason

NAMES = (*available(), *gas())
TOKENS = [name for name in NAMES if load(name).top_up == "token"]
CREDITS = [name for name in NAMES if load(name).top_up == "credit"]
BALANCES = {
    "aclara": "-1.50",
    "honeywell_elster": "0.00",
    "itron": "-0.42",
    "landis_gyr": "-0.20",
    "secure": "0.75",
    "honeywell_elster_gas": "5.00",
    "itron_gas": "2.50",
    "landis_gyr_gas": "-0.20",
    "secure_gas": "1.20",
}
ON = ("itron_gas",)
"""In credit mode, and connected."""
ENTER = MethodDescriptor(classes.TOKEN_GATEWAY.class_id, TOKEN_GATEWAY, 1)
CLOCK_TIME = AttributeDescriptor(classes.CLOCK.class_id, obis.parse("0-0:1.0.0.255"), 2)
ADD_CREDIT = Purpose.GENERATE_ADD_CREDIT_COMMAND


@pytest.fixture(scope="session")
def profiles() -> list[Profile]:
    """The gas meters as well."""
    return [load(name) for name in NAMES]


def balance(meter: Any) -> Decimal:
    """What the device itself holds, in pounds."""
    return Decimal(account.balance(meter.device)).scaleb(meter.profile.currency_scale)


# Reading ------------------------------------------------------------------------------------------


def test_the_table_names_every_profile() -> None:
    assert BALANCES.keys() == set(NAMES)
    assert len(TOKENS) == 6
    assert len(CREDITS) == 3


@pytest.mark.parametrize("name", NAMES)
async def test_status(name: str, head_end: HeadEnd, place: Any) -> None:
    meter = place(name)
    digest = meter.digest
    status = await head_end.status(meter.address, meter.profile)
    assert status.balance == Decimal(BALANCES[name])
    assert status.payment_mode == ("credit" if name in ON else "prepayment")
    assert status.supply == ("connected" if name in ON else "disconnected")
    if not meter.profile.associations["s1sp"].single_key:  # or there is another key now
        assert meter.digest == digest


@pytest.mark.parametrize(
    ("code", "attribute", "odd"),
    [
        ("0-0:19.0.0.255", 15, double_long(1)),
        ("0-0:19.0.0.255", 2, structure()),
        ("0-0:19.0.0.255", 2, structure(octet_string(b""), enum(2))),
        ("0-0:19.0.0.255", 15, NULL),
    ],
)
async def test_a_meter_that_answers_oddly(
    head_end: HeadEnd, place: Any, code: str, attribute: int, odd: Data
) -> None:
    """What no meter should say is a refusal to the head end, never a failed assertion."""
    meter = place("aclara")
    meter.device.state.values[obis.parse(code), attribute] = odd
    with pytest.raises(MeterRefusal, match="expected, meter gives"):
        await head_end.status(meter.address, meter.profile)


@pytest.mark.parametrize("name", NAMES)
async def test_read_one_attribute(name: str, head_end: HeadEnd, place: Any, clock: Any) -> None:
    meter = place(name)
    value = await head_end.read(meter.address, meter.profile, Wanted(CLOCK_TIME))
    assert value.to_datetime() == clock.now()


async def test_reading_what_there_is_not(head_end: HeadEnd, place: Any) -> None:
    meter = place("secure")
    with pytest.raises(Refused, match="object-undefined") as caught:
        await head_end.read(meter.address, meter.profile, Wanted((3, "1-0:99.99.99.255", 2)))
    assert caught.value.result is DataAccessResult.OBJECT_UNDEFINED


# Adding credit ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pounds", ["0.01", "5.00", "20.00", "81.91", "82", "200"])
@pytest.mark.parametrize("name", NAMES)
async def test_top_up_adds_exactly_that(
    name: str, pounds: str, head_end: HeadEnd, place: Any
) -> None:
    meter = place(name)
    before = balance(meter)
    assert await head_end.top_up(meter.address, meter.profile, Decimal(pounds)) == (
        "token" if name in TOKENS else "credit"
    )
    assert balance(meter) - before == Decimal(pounds)


@pytest.mark.parametrize("name", NAMES)
async def test_top_ups_add_up(name: str, head_end: HeadEnd, place: Any) -> None:
    meter = place(name)
    for pounds in ("1.00", "1.00", "2.50"):
        await head_end.top_up(meter.address, meter.profile, Decimal(pounds))
    assert balance(meter) == Decimal(BALANCES[name]) + Decimal("4.50")
    status = await head_end.status(meter.address, meter.profile)
    assert status.balance == balance(meter)


@pytest.mark.parametrize(
    "pounds", ["0", "-1", "0.001", "NaN", "sNaN", "Infinity", "-Infinity", "1E+999999"]
)
@pytest.mark.parametrize("name", ["aclara", "secure"])
async def test_no_amount_at_all(name: str, pounds: str, head_end: HeadEnd, place: Any) -> None:
    meter = place(name)
    digest = meter.digest
    with pytest.raises(ValueError, match=r"pounds|pence"):
        await head_end.top_up(meter.address, meter.profile, Decimal(pounds))
    assert meter.digest == digest


@pytest.mark.parametrize("name", CREDITS)
async def test_more_than_may_be_added_at_once(name: str, head_end: HeadEnd, place: Any) -> None:
    meter = place(name)
    digest = meter.digest
    with pytest.raises(AccessRefused, match="action: other-reason") as caught:
        await head_end.top_up(meter.address, meter.profile, Decimal("200.01"))
    assert caught.value.result is ActionResult.OTHER_REASON
    assert meter.digest == digest


@pytest.mark.parametrize(
    ("name", "pounds"), [("honeywell_elster", "201"), ("landis_gyr", "251"), ("secure", "201")]
)
async def test_a_token_for_more_than_may_be_added_at_once(
    name: str, pounds: str, head_end: HeadEnd, place: Any
) -> None:
    meter = place(name)
    with pytest.raises(MeterRefusal, match="token not accepted: validation-failure"):
        await head_end.top_up(meter.address, meter.profile, Decimal(pounds))
    assert balance(meter) == Decimal(BALANCES[name])
    assert meter.device.state.used_tokens == set()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "secure"])
async def test_never_more_than_the_account_may_hold(
    name: str, head_end: HeadEnd, place: Any
) -> None:
    """All but Secure hold 500 pounds at the most, and take 200 at once."""
    meter = place(name)
    await head_end.top_up(meter.address, meter.profile, Decimal(200))
    await head_end.top_up(meter.address, meter.profile, Decimal(200))
    left = Decimal(500) - balance(meter)
    assert Decimal(0) < left < Decimal(200)
    whole = left.to_integral_value(rounding="ROUND_CEILING")
    over = whole + 1 if name in TOKENS else left + Decimal("0.01")
    held = balance(meter)
    with pytest.raises(MeterRefusal):
        await head_end.top_up(meter.address, meter.profile, over)
    assert balance(meter) == held
    if name in CREDITS:
        await head_end.top_up(meter.address, meter.profile, left)
        assert balance(meter) == Decimal(500)


@pytest.mark.parametrize("name", TOKENS)
async def test_a_token_carries_whole_pounds_above_8191_pence(
    name: str, head_end: HeadEnd, place: Any
) -> None:
    meter = place(name)
    with pytest.raises(ValueError, match="token carries"):
        await head_end.top_up(meter.address, meter.profile, Decimal("82.50"))
    assert balance(meter) == Decimal(BALANCES[name])


# Tokens -------------------------------------------------------------------------------------------


@pytest.fixture
def token(ring: Any) -> Callable[..., bytes]:
    """The digits of a right token, made with the key of ``meter``."""

    def make(meter: Any, pence: int, counter: int) -> bytes:
        key = KeyRef(meter.device.title, TOKEN_SCOPE, KeyKind.TOKEN)
        step = make_token(pence, counter, key, meter.device.title)
        return run(step, SoftwareModule(ring).execute).encode()

    return make


@pytest.fixture
def enter(make_party: Callable[..., Any]) -> Callable[..., Any]:
    """Enter digits at a meter as the S1SP; give the token status of the gateway."""
    party = make_party(Actor.S1SP)

    async def enter(meter: Any, digits: bytes) -> tuple[TokenStatus, ActionResult]:
        result = ActionResult.SUCCESS
        async with associate(party, meter.address, meter.profile) as session:
            try:
                await session.action(ENTER, octet_string(digits), ADD_CREDIT)
            except AccessRefused as refusal:
                result = ActionResult(refusal.result)
            status = await session.get(AttributeDescriptor(ENTER.class_id, TOKEN_GATEWAY, 6))
        return TokenStatus(status.value[0].value), result

    return enter


REFUSED = ActionResult.OTHER_REASON


@pytest.mark.parametrize("name", TOKENS)
async def test_a_token_counts_once(name: str, place: Any, token: Any, enter: Any) -> None:
    meter = place(name)
    digits = token(meter, 500, 7)
    assert await enter(meter, digits) == (TokenStatus.EXECUTION_OK, ActionResult.SUCCESS)
    assert balance(meter) == Decimal(BALANCES[name]) + 5
    assert await enter(meter, digits) == (TokenStatus.VALIDATION_FAILURE, REFUSED)
    # Another amount under the same counter is the same token key stream: refused, too.
    assert await enter(meter, token(meter, 501, 7)) == (TokenStatus.VALIDATION_FAILURE, REFUSED)
    assert balance(meter) == Decimal(BALANCES[name]) + 5
    # An older one that was never used is good.
    assert await enter(meter, token(meter, 100, 3)) == (
        TokenStatus.EXECUTION_OK,
        ActionResult.SUCCESS,
    )


@pytest.mark.parametrize("name", TOKENS)
async def test_a_token_for_another_meter(name: str, place: Any, token: Any, enter: Any) -> None:
    other = next(other for other in TOKENS if other != name)
    meter = place(name)
    assert await enter(meter, token(place(other), 500, 0)) == (
        TokenStatus.AUTHENTICATION_FAILURE,
        REFUSED,
    )
    assert balance(meter) == Decimal(BALANCES[name])
    assert meter.device.state.used_tokens == set()


@pytest.mark.parametrize("name", TOKENS)
async def test_no_digit_of_a_token_may_change(
    name: str, place: Any, token: Any, enter: Any
) -> None:
    """The check digit finds every wrong digit, so it is a format failure."""
    meter = place(name)
    digits = token(meter, 500, 0)
    for at in range(0, 20, 5):
        bent = b"%d" % ((digits[at] - ord("0") + 1) % 10)
        changed = digits[:at] + bent + digits[at + 1 :]
        assert await enter(meter, changed) == (TokenStatus.FORMAT_FAILURE, REFUSED)
    assert await enter(meter, digits[:-1]) == (TokenStatus.FORMAT_FAILURE, REFUSED)
    assert balance(meter) == Decimal(BALANCES[name])


async def test_a_token_counter_is_spent_by_a_refusal(
    place: Any, make_party: Any, make_means: Any
) -> None:
    """A refused token may lie in a log: its counter is never given to another amount."""
    meter = place("secure")
    tokens = TokenCounters()
    head_end = HeadEnd(make_party(Actor.S1SP), make_party(Actor.DCO), make_means(), tokens)
    with pytest.raises(MeterRefusal):
        await head_end.top_up(meter.address, meter.profile, Decimal(201))
    await head_end.top_up(meter.address, meter.profile, Decimal(1))
    assert meter.device.state.used_tokens == {1}
    assert tokens.burn(meter.device.title) == 2


# Instructions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
async def test_supply_instructions(name: str, head_end: HeadEnd, place: Any) -> None:
    meter = place(name)
    if name in ON:  # what is connected is disconnected before it can be armed
        await head_end.instruct(meter.address, meter.profile, "disable_supply")
    for instruction, supply in (
        ("arm_supply", "armed"),
        ("enable_supply", "connected"),
        ("disable_supply", "disconnected"),
        ("enable_supply", "connected"),
        ("disable_supply", "disconnected"),
        ("arm_supply", "armed"),
        ("disable_supply", "disconnected"),
    ):
        actor = await head_end.instruct(meter.address, meter.profile, instruction)
        assert actor is Actor.DCO
        status = await head_end.status(meter.address, meter.profile)
        assert status.supply == supply


@pytest.mark.parametrize("name", NAMES)
async def test_set_clock(name: str, head_end: HeadEnd, place: Any, clock: Any) -> None:
    meter = place(name)
    moment = clock.now() + dt.timedelta(days=3, seconds=7)
    await head_end.instruct(meter.address, meter.profile, "set_clock", clock_time(moment))
    assert meter.device.state.clock_offset == moment - clock.now()
    value = await head_end.read(meter.address, meter.profile, Wanted(CLOCK_TIME))
    assert value.to_datetime() == moment
    clock.advance(dt.timedelta(hours=1))
    value = await head_end.read(meter.address, meter.profile, Wanted(CLOCK_TIME))
    assert value.to_datetime() == moment + dt.timedelta(hours=1)


@pytest.mark.parametrize("name", NAMES)
async def test_set_payment_mode(name: str, head_end: HeadEnd, place: Any) -> None:
    meter = place(name)
    for mode in ("credit", "prepayment"):
        await head_end.instruct(
            meter.address, meter.profile, "set_payment_mode", payment_mode(mode)
        )
        status = await head_end.status(meter.address, meter.profile)
        assert status.payment_mode == mode


def test_every_instruction_is_tested_here() -> None:
    tested = {"arm_supply", "enable_supply", "disable_supply", "set_clock", "set_payment_mode"}
    for name in NAMES:
        # activate_firmware is tested with firmware.
        of_gas = {"set_calorific_value"} if name in gas() else set()
        assert set(load(name).instructions) == tested | of_gas | {"activate_firmware"}


@pytest.mark.parametrize("name", gas())
async def test_set_calorific_value(name: str, head_end: HeadEnd, place: Any) -> None:
    """What is out of bounds is refused and changes nothing."""
    meter = place(name)
    wanted = Wanted((classes.REGISTER.class_id, "7-0:54.0.0.255", 2))
    for number, refused in ((3950, False), (0, True), (2**20, True)):
        argument = double_long_unsigned(number)
        sent = head_end.instruct(meter.address, meter.profile, "set_calorific_value", argument)
        if refused:
            with pytest.raises(MeterRefusal, match="other-reason"):
                await sent
        else:
            assert await sent is Actor.DCO
        reading = await head_end.read(meter.address, meter.profile, wanted)
        assert reading.value == Decimal(39_500_000)


def test_there_is_no_such_payment_mode() -> None:
    with pytest.raises(ValueError, match="'free' is not credit or prepayment"):
        payment_mode("free")


async def test_an_instruction_nobody_knows(head_end: HeadEnd, place: Any, ledger: Any) -> None:
    meter = place("itron")
    with pytest.raises(InstructionRefused, match="knows no 'explode'; it knows disable_supply"):
        await head_end.instruct(meter.address, meter.profile, "explode")
    assert len(ledger) == 0


async def test_an_instruction_without_its_argument(
    head_end: HeadEnd, place: Any, ledger: Any
) -> None:
    meter = place("itron")
    with pytest.raises(InstructionRefused, match="set_clock needs an argument"):
        await head_end.instruct(meter.address, meter.profile, "set_clock")
    assert len(ledger) == 0


async def test_a_profile_cannot_hand_a_critical_instruction_to_the_s1sp(
    head_end: HeadEnd, place: Any, ledger: Any
) -> None:
    meter = place("itron")
    row = meter.profile.instructions["arm_supply"]._replace(association="s1sp")
    profile = replace(meter.profile, instructions={**meter.profile.instructions, "arm_supply": row})
    with pytest.raises(InstructionRefused, match="critical and belongs to the DCO"):
        await head_end.instruct(meter.address, profile, "arm_supply")
    assert len(ledger) == 0


# The DCO's methods are the DCO's ------------------------------------------------------------------

ARGUMENTS = {
    "set_clock": clock_time(dt.datetime(2030, 1, 1, tzinfo=dt.UTC)),
    "set_payment_mode": payment_mode("credit"),
    "set_calorific_value": double_long_unsigned(3950),
}


async def carry_out(session: Any, instruction: str, step: Any) -> None:
    if isinstance(step, SetStep):
        await session.set(step.attribute, step.value or ARGUMENTS[instruction])
    else:
        await session.action(step.method, step.parameter or NULL, Purpose.GENERATE_INSTRUCTION)


@pytest.mark.parametrize("name", NAMES)
async def test_the_meter_denies_the_s1sp_every_critical_step(
    name: str, make_party: Callable[..., Any], place: Any
) -> None:
    """The meter itself says no, not only the head end."""
    meter = place(name)
    tried = 0
    async with associate(make_party(Actor.S1SP), meter.address, meter.profile) as session:
        digest = meter.digest
        for row in meter.profile.instructions.values():
            assert row.critical
            for step in row.steps:
                with pytest.raises(AccessRefused) as caught:
                    await carry_out(session, row.name, step)
                assert caught.value.result.name == "READ_WRITE_DENIED"
                assert meter.digest == digest
                tried += 1
    assert tried == (9 if name in gas() else 8)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["plain", "tls"])
@pytest.mark.parametrize(("keys_of", "row"), [("s1sp", "dco"), ("dco", "s1sp")])
async def test_keys_of_one_party_do_not_open_the_association_of_the_other(
    name: str, way: str, keys_of: str, row: str, speak: Any, place: Any, events: Any
) -> None:
    meter = place(name)
    digest = meter.digest
    keys = AssociationKeys(
        guek=meter.device.key(keys_of, KeyKind.GUEK), gak=meter.device.key(keys_of, KeyKind.GAK)
    )
    speaker = await speak(way, name, row, keys=keys)
    event = await speaker.begin()
    assert isinstance(event, AssociationRefused)
    assert meter.digest == digest
    (refused,) = events.of("association-refused")
    assert refused.association == row
    assert "does not verify" in refused.text
    # With its own keys the same party is let in on the same connection.
    await (await speak(way, name, row)).open()


# Finding the meter --------------------------------------------------------------------------------


async def test_only_exactly_this_meter_will_do(head_end: HeadEnd, place: Any) -> None:
    """Another meter of the same PKI at the address is not the meter."""
    meter, other = place("itron"), place("secure")
    address = meter.address._replace(tls_port=other.address.tls_port)
    with pytest.raises(HandshakeError) as caught:
        await head_end.status(address, meter.profile)
    assert caught.value.reason is Reason.WRONG_IDENTITY


async def test_nobody_there(head_end: HeadEnd, place: Any, ledger: Any) -> None:
    meter = place("itron")
    with pytest.raises(ConnectionRefusedError):
        await head_end.status(meter.address._replace(tls_port=1), meter.profile)
    assert [(e.operation, e.outcome.value) for e in ledger] == [("TLS handshake", "failed")]


# Counters -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
async def test_a_head_end_that_has_forgotten_asks_for_the_counter(
    name: str, make_head_end: Any, place: Any
) -> None:
    meter = place(name)
    key = meter.device.key("s1sp", KeyKind.GUEK)
    for _ in range(2):
        await make_head_end().status(meter.address, meter.profile)
    floor = meter.device.state.counters.floor(key)
    # InitiateRequest, f(StoC), RLRQ at least, twice: the second did not begin at 0.
    assert floor >= 6
    await make_head_end().status(meter.address, meter.profile)
    assert meter.device.state.counters.floor(key) > floor


async def test_without_the_public_client_it_cannot(make_head_end: Any, place: Any) -> None:
    """The test above proves something: this is what happens otherwise."""
    meter = place("aclara")
    rows = {row: value for row, value in meter.profile.associations.items() if row != "public"}
    profile = replace(meter.profile, associations=rows)
    await make_head_end().status(meter.address, profile)
    with pytest.raises((AssociationRejected, ServiceException)):
        await make_head_end().status(meter.address, profile)


async def test_the_counter_is_asked_for_once(head_end: HeadEnd, place: Any, events: Any) -> None:
    meter = place("aclara")
    for _ in range(3):
        await head_end.status(meter.address, meter.profile)
    opened = [event.association for event in events.of("associated")]
    assert opened == ["public", "s1sp", "s1sp", "s1sp"]


async def test_an_unprotected_counter_moves_ours_forward_only(
    make_party: Callable[..., Any], place: Any
) -> None:
    """A public answer that is too low must not make a counter come again."""
    meter = place("aclara")
    party = make_party(Actor.S1SP)
    key = meter.device.key("s1sp", KeyKind.GUEK)
    party.counters.raise_to(key, 1000)
    async with associate(party, meter.address, meter.profile):
        pass
    assert party.counters.next_to_send(key) > 1000
    assert meter.device.state.counters.floor(key) > 1000
