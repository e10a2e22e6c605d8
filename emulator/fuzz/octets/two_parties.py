"""Two parties with test keys, one module, and what one says to the other in every form.

The key pairs are derived, and randomness is counted, so the same octets come in every run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from dlms.security.ciphered import Family, Form
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.general_context import GeneralContext
from dlms.security.key_choice import KeyChoice
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.layers import protect_layers
from dlms.security.ops import PublicKey, Step, Use
from dlms.security.protect import SecurityContext, Shape
from dlms.security.spent_keys import SpentKeys
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

SECRET = b"cosemlab octets, test keys only "
SUITE = 1
CLIENT = bytes.fromhex("4D4D4D0000BC614E")
SERVER = bytes.fromhex("4D4D4D0000000001")
TRANSACTION = bytes(range(1, 9))
_SCOPE = "octets"
_BOTH, _SIGNED = Protection.BOTH, Protection.SIGNED


class Line(NamedTuple):
    """What the client protects with, and what the server opens with: new in each run, as after the
    same history.
    """

    client: GeneralContext
    server: GeneralContext
    run: Callable[[Step[Any]], Any]


SHAPES: tuple[Shape, ...] = (
    Shape(Family.GLOBAL, Form.SERVICE, _BOTH),
    Shape(Family.GLOBAL, Form.SERVICE, Protection.AUTHENTICATED),
    Shape(Family.GLOBAL, Form.SERVICE, Protection.ENCRYPTED),
    Shape(Family.DEDICATED, Form.SERVICE, _BOTH),
    Shape(Family.BROADCAST, Form.SERVICE, _BOTH),
    Shape(Family.GLOBAL, Form.GENERAL, _BOTH),
    Shape(Family.DEDICATED, Form.GENERAL, _BOTH),
    Shape(Family.GLOBAL, Form.CIPHERING, _BOTH, KeyChoice.UNICAST, TRANSACTION),
    Shape(Family.BROADCAST, Form.CIPHERING, _BOTH, KeyChoice.BROADCAST, TRANSACTION),
    Shape(Family.GLOBAL, Form.CIPHERING, _BOTH, KeyChoice.WRAPPED, TRANSACTION),
    Shape(Family.GLOBAL, Form.CIPHERING, _BOTH, KeyChoice.STATIC, TRANSACTION),
    Shape(Family.GLOBAL, Form.CIPHERING, _BOTH, KeyChoice.ONE_PASS, TRANSACTION),
    Shape(Family.GLOBAL, Form.SERVICE, _SIGNED, KeyChoice.UNICAST, TRANSACTION),
    Shape(Family.GLOBAL, Form.GENERAL, _BOTH | _SIGNED, KeyChoice.UNICAST, TRANSACTION),
    Shape(Family.GLOBAL, Form.CIPHERING, _BOTH | _SIGNED, KeyChoice.UNICAST, TRANSACTION),
)
"""In which an APDU can be said; their place is the first octet of an input of ``security.layers``,
from 1."""


def line() -> Line:
    """Both ends, with the keys that they share."""
    ring = KeyRing(SECRET, lambda ref: SUITE)
    module = SoftwareModule(ring, _counted())

    def execute(op: Any) -> Any:
        return module.execute(op)

    def key(holder: bytes, kind: KeyKind) -> KeyRef:
        return KeyRef(holder, _SCOPE, kind)

    dedicated = KeyRef(SERVER, _SCOPE, KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION)
    ring.keep(dedicated, bytes(range(16)))
    client = GeneralContext(
        security=SecurityContext(
            suite=SUITE,
            own_title=CLIENT,
            peer_title=SERVER,
            counters=InvocationCounters(),
            guek=key(SERVER, KeyKind.GUEK),
            gak=key(SERVER, KeyKind.GAK),
            gbek=key(SERVER, KeyKind.GBEK),
            dedicated=dedicated,
        ),
        scope="client",
        kek=key(SERVER, KeyKind.KEK),
        agreement_key=key(CLIENT, KeyKind.AGREEMENT_KEY),
        signing_key=key(CLIENT, KeyKind.SIGNING_KEY),
        peer_agreement_public=_public(module, key(SERVER, KeyKind.AGREEMENT_KEY)),
        peer_signing_public=_public(module, key(SERVER, KeyKind.SIGNING_KEY)),
    )
    server = replace(
        client,
        security=replace(
            client.security,
            own_title=SERVER,
            peer_title=CLIENT,
            counters=InvocationCounters(),
            unprotected=True,
        ),
        scope="server",
        agreement_key=key(SERVER, KeyKind.AGREEMENT_KEY),
        signing_key=key(SERVER, KeyKind.SIGNING_KEY),
        peer_agreement_public=_public(module, key(CLIENT, KeyKind.AGREEMENT_KEY)),
        peer_signing_public=_public(module, key(CLIENT, KeyKind.SIGNING_KEY)),
        spent=SpentKeys(),
    )
    return Line(client, server, lambda step: run(step, execute))


def said(over: Line, shape: Shape, apdu: bytes) -> bytes:
    """``apdu`` as the client protects it in that shape."""
    octets: bytes = over.run(protect_layers(over.client, apdu, shape, Use.PROTECT_REQUEST))
    return octets


_PUBLIC: dict[KeyRef, bytes] = {}


def _public(module: SoftwareModule, ref: KeyRef) -> bytes:
    """Worked out once: it takes as long as a signature."""
    if ref not in _PUBLIC:
        _PUBLIC[ref] = module.execute(PublicKey(Use.CERTIFICATE, ref))
    return _PUBLIC[ref]


def _counted() -> Callable[[int], bytes]:
    calls = 0

    def octets(count: int) -> bytes:
        nonlocal calls
        calls += 1
        return calls.to_bytes(count, "big")

    return octets
