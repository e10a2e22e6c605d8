"""Any octets into either end in any state: an event or a RemoteProtocolError, and no harm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.acse import ApplicationContext, Mechanism
from dlms.association.knobs import LEGACY
from dlms.association.state import State
from dlms.axdr.data import octet_string
from dlms.errors import RemoteProtocolError
from dlms.security.control import Protection
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Seal, Use
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest, GetResponse

GET = GetRequest(0x41, AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))
TAGS = [
    0x60, 0x61, 0x62, 0x63, 0x01, 0x08, 0x0E, 0x21, 0x28, 0xC0, 0xC1, 0xC3, 0xC4, 0xC5, 0xC7,
    0xC8, 0xC9, 0xCB, 0xCC, 0xCF, 0xD0, 0xD4, 0xD8, 0xDB, 0xDC,
]  # fmt: skip
STATES = [state for state in State if state not in (State.UNCONFIRMED, State.PRE_ESTABLISHED)]
"""Those two are in test_standing_associations.py."""
KINDS: list[dict[str, Any]] = [
    {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE},
    {"context": ApplicationContext.LN, "mechanism": Mechanism.LLS},
    {"context": ApplicationContext.LN},
    {},
    {"dedicated": True, "server": {"policy": Protection.BOTH, "protected_release": True}},
]
RANDOM = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda tag, rest: bytes((tag,)) + rest, st.sampled_from(TAGS), st.binary(max_size=60)
    ),
    st.builds(
        lambda tag, rest: bytes((tag, len(rest))) + rest,
        st.sampled_from(TAGS),
        st.binary(max_size=60),
    ),
)
CHANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3)
# The bench is session-wide and each example builds its own pair from it.
SETTINGS = settings(max_examples=100)


def mutated(octets: bytes, changes: list[tuple[int, int]], cut: int) -> bytes:
    result = bytearray(octets)
    for position, value in changes:
        if result:
            result[position % len(result)] = value
    return bytes(result[: len(result) - cut])


def reach(pair: Any, state: State) -> None:
    """Put both ends into ``state``, or the server as near as it comes between two APDUs."""
    if state is State.IDLE:
        return
    if state is State.ASSOCIATING:
        pair.ask(pair.client.open())
        return
    if not pair.server_config.mechanism.is_hls:
        pair.connect()
    elif state in (State.AUTHENTICATING, State.VERIFYING, State.WITHDRAWING):
        pair.begin()
    else:
        pair.connect()
    if state is State.VERIFYING and pair.server_config.mechanism.is_hls:
        pair.ask(pair.client.authenticate())
    elif state is State.ASSOCIATED:
        pair.ask(pair.client.request(GET))
    elif state in (State.RELEASING, State.WITHDRAWING):
        pair.ask(pair.client.release())


def genuine_for_server(pair: Any, state: State) -> list[bytes]:
    ciphered = pair.server_config.context.ciphered
    aarq = pair.aarq().encode()
    get = pair.sealed(GET.encode()) if ciphered else GET.encode()
    pass_3 = pair.pass_3(bytes(17))
    return [aarq, get, pass_3, pair.sealed(pass_3) if ciphered else pass_3, b"\x62\x00"]


@pytest.mark.parametrize("kind", KINDS, ids=["plain", "LLS", "plain HLS", "ciphered", "strict"])
@pytest.mark.parametrize(
    "state", [State.IDLE, State.AUTHENTICATING, State.ASSOCIATED], ids=lambda s: s.name
)
@SETTINGS
@given(data=st.data())
def test_server(bench: Any, kind: dict[str, Any], state: State, data: st.DataObject) -> None:
    pair = bench(**kind)
    reach(pair, state)
    for _ in range(3):
        if data.draw(st.booleans()):
            octets = data.draw(RANDOM)
        else:
            genuine = data.draw(st.sampled_from(genuine_for_server(pair, state)))
            octets = mutated(genuine, data.draw(CHANGES), data.draw(st.integers(0, 3)))
        sent, was = dict(pair.server_counters._next), pair.server.state
        hit = pair.hit(octets)  # anything but an event or a RemoteProtocolError fails the test
        assert pair.server.state in (State.IDLE, State.AUTHENTICATING, State.ASSOCIATED)
        if hit.error is not None:
            assert hit.reply
            assert pair.server.state is was
            assert pair.server_counters._next == sent
        if pair.server.state is State.IDLE:
            assert pair.server.admitted is None
    pair.client_counters.raise_to(pair.keys.guek, pair.server_counters.floor(pair.keys.guek))
    pair.works()


@pytest.mark.parametrize("kind", KINDS, ids=["plain", "LLS", "plain HLS", "ciphered", "strict"])
@pytest.mark.parametrize("state", STATES, ids=lambda s: s.name)
@SETTINGS
@given(data=st.data())
def test_client(bench: Any, kind: dict[str, Any], state: State, data: st.DataObject) -> None:
    pair = bench(**kind)
    reach(pair, state)
    for _ in range(3):
        if data.draw(st.booleans()):
            octets = data.draw(RANDOM)
        else:
            response = GetResponse(0x41, octet_string(bytes(3))).encode()
            genuine = [response, b"\xd8\x01\x02", b"\x63\x00", b"\x61\x00"]
            if pair.server_config.context.ciphered:
                op = Seal(
                    Use.PROTECT_RESPONSE,
                    pair.keys.guek,
                    pair.keys.gak,
                    0x30,
                    b"MTR\0\0\0\0\1",
                    77,
                    response,
                )
                body = pair.server_module.execute(op)
                head = b"\xcc" + bytes((len(body) + 5,)) + b"\x30\0\0\0\x4d"
                genuine.append(head + body)
            octets = mutated(
                data.draw(st.sampled_from(genuine)),
                data.draw(CHANGES),
                data.draw(st.integers(0, 3)),
            )
        was = pair.client.state
        refused = False
        try:
            pair.ask(pair.client.receive(octets))
        except RemoteProtocolError:
            refused = True
        assert not refused or pair.client.state is was
        assert pair.client.state in State
        if was is not State.ASSOCIATED and pair.server_config.mechanism.is_hls:
            # Nothing of this authenticates a server; RELEASING comes from ASSOCIATED.
            assert pair.client.state is not State.ASSOCIATED or was is State.RELEASING
    pair.ask(pair.client.close())
    assert pair.client.state is State.IDLE
    pair.server_counters.raise_to(pair.keys.guek, pair.client_counters.floor(pair.keys.guek))
    pair.works()


GBEK = KeyRef(b"MTR\0\0\0\0\1", "s1sp", KeyKind.GBEK)
NO_AUTHENTICATION = {"mechanism": Mechanism.NONE}
REGISTERED = {"pre_established": True, "client_title": b"S1S\0\0\0\0\1"}
STANDING: dict[str, dict[str, Any]] = {
    "pre-established": {**NO_AUTHENTICATION, "server": REGISTERED},
    "unconfirmed": {
        **NO_AUTHENTICATION,
        "server": {"unconfirmed": True},
        "client": {"confirmed": False},
    },
    "broadcast": {
        **NO_AUTHENTICATION,
        "server": {**REGISTERED, "broadcast": True},
        "keys": {"gbek": GBEK},
    },
    "short names": {"context": ApplicationContext.SN_CIPHERED, **NO_AUTHENTICATION},
    "legacy": {"server": {"knobs": LEGACY}},
    "group": {"keys": {"gbek": GBEK}},
}
OWN_STATES = {
    True: (State.PRE_ESTABLISHED,),
    False: (State.IDLE, State.AUTHENTICATING, State.ASSOCIATED, State.UNCONFIRMED),
}
SHORT = st.builds(
    lambda tag, rest: bytes((tag,)) + rest,
    st.sampled_from([0x05, 0x06, 0x0C, 0x0D, 0x0E, 0x16, 0x25, 0x26, 0x45, 0xD9, 0xE0]),
    st.binary(max_size=40),
)


@pytest.mark.parametrize("kind", STANDING.values(), ids=list(STANDING))
@SETTINGS
@given(data=st.data())
def test_server_of_other_kinds(bench: Any, kind: dict[str, Any], data: st.DataObject) -> None:
    """As above; and where nothing is answered, nothing is."""
    pair = bench(**kind)
    silent = pair.server_config.broadcast
    if kind is STANDING["unconfirmed"]:
        pair.hit(pair.ask(pair.client.open()))
        assert pair.server.state is State.UNCONFIRMED
    elif pair.server.state is State.IDLE:
        pair.connect()
    for _ in range(4):
        genuine = genuine_for_server(pair, State.ASSOCIATED)
        octets = data.draw(
            st.one_of(
                RANDOM,
                SHORT,
                st.builds(mutated, st.sampled_from(genuine), CHANGES, st.integers(0, 3)),
            )
        )
        was = pair.server.state
        hit = pair.hit(octets)
        assert pair.server.state in OWN_STATES[pair.server_config.pre_established]
        if silent or (was is State.UNCONFIRMED and hit.error is not None):
            assert hit.reply is None
        elif hit.error is not None:
            assert hit.reply
            assert pair.server.state is was


@pytest.mark.parametrize("context", [ApplicationContext.SN, ApplicationContext.SN_CIPHERED])
@pytest.mark.parametrize("verifying", [False, True])
@SETTINGS
@given(octets=st.one_of(RANDOM, SHORT))
def test_client_with_short_names(
    bench: Any, context: ApplicationContext, verifying: bool, octets: bytes
) -> None:
    pair = bench(context=context)
    pair.begin()
    if verifying:
        pair.ask(pair.client.authenticate())
    else:
        pair.finish()
    was = pair.client.state
    try:
        pair.ask(pair.client.receive(octets))
    except RemoteProtocolError:
        assert pair.client.state is was
    assert pair.client.state in (was, State.IDLE)
