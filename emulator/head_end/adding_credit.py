"""Adding credit, the S1SP's Command: the way the meter's profile takes it."""

from __future__ import annotations

from decimal import Decimal

from devices.objects.token_gateway import TOKEN_SCOPE, TokenStatus
from devices.profile import Profile
from devices.token import make_token
from dlms.axdr.data import double_long, octet_string
from dlms.client.refusals import AccessRefused, MeterRefusal
from dlms.cosem import classes, obis
from dlms.security.keys import KeyKind
from dlms.words import word
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.head_end.known_keys import KnownKeys
from emulator.head_end.party_association import PartyAssociation
from emulator.head_end.token_counters import TokenCounters
from emulator.policy import Purpose
from emulator.requests.encoding import units

TOKEN_CREDIT = obis.parse("0-0:19.10.0.255")
TOKEN_GATEWAY = obis.parse("0-0:19.40.0.255")
_TOKEN_STATUS = AttributeDescriptor(classes.TOKEN_GATEWAY.class_id, TOKEN_GATEWAY, 6)
_UPDATE_AMOUNT = MethodDescriptor(classes.CREDIT.class_id, TOKEN_CREDIT, 1)
_ENTER = MethodDescriptor(classes.TOKEN_GATEWAY.class_id, TOKEN_GATEWAY, 1)
_PENCE = -2
_TOO_MANY_POUNDS = 20_000
"""What a double-long of milli-pence can hold is 21474 pounds; no meter takes that much at once."""


def credit_units(profile: Profile, pounds: Decimal) -> int:
    """What the meter is told, or what goes into a token (pence). ``ValueError`` if the amount is
    not positive, not a whole number of those, or more than any meter takes.
    """
    scale = _PENCE if profile.top_up == "token" else profile.currency_scale
    if pounds.is_finite() and 0 < pounds < _TOO_MANY_POUNDS:
        try:
            return units(pounds, scale)
        except ValueError:
            pass
    raise ValueError(f"{pounds} pounds is no positive amount of whole units of 1E{scale}")


async def add_credit(
    session: PartyAssociation,
    title: bytes,
    profile: Profile,
    amount: int,
    tokens: TokenCounters,
    known: KnownKeys,
) -> None:
    """``known`` are the keys of the S1SP, among which is the one that tokens are made with.
    :class:`~dlms.client.refusals.MeterRefusal` if the meter ``title`` does not take it.
    """
    purpose = Purpose.GENERATE_ADD_CREDIT_COMMAND
    if profile.top_up != "token":
        await session.action(_UPDATE_AMOUNT, double_long(amount), purpose)
        return
    await known.recall(title, TOKEN_SCOPE, session.run)
    key = known.key(title, TOKEN_SCOPE, KeyKind.TOKEN)
    session.be_about(purpose)
    digits = await session.run(make_token(amount, tokens.burn(title), key, title))
    try:
        await session.action(_ENTER, octet_string(digits.encode("ascii")), purpose)
    except AccessRefused as refusal:
        status = await session.get(_TOKEN_STATUS)
        raise MeterRefusal(f"token not accepted: {_status(status.value)}") from refusal


def _status(value: object) -> str:
    """The token's status, the first element of what the gateway says."""
    number = value[0].value if isinstance(value, tuple) and value else None
    if not isinstance(number, int):
        raise MeterRefusal("structure with an integer expected, meter gives something else")
    try:
        return word(TokenStatus(number))
    except ValueError:
        return f"status {number}"
