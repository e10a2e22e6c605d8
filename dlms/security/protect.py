"""Steps that protect and open APDUs (GB Ed. 8, 9.2.7.2).

Order on the way in: layout, key, title, security control, counter, *then* cryptography, and only
after the tag has verified the floor moves and the plaintext is shown to anyone (R-PROT-2, R-IC-6).
On the way out the counter is burned before sealing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dlms.errors import CodecError, LocalProtocolError
from dlms.security.ciphered import Family, Form, decode_ciphered, encode_ciphered
from dlms.security.control import KEY_SET_BROADCAST, Protection, check_control
from dlms.security.counters import InvocationCounters
from dlms.security.key_choice import KeyChoice
from dlms.security.keys import KeyRef
from dlms.security.ops import Open, Seal, Step, Use

# Every & or | of an IntFlag costs as much as AES-GCM over a GET, so flags are tested as integers
# here; and in Python 3.11 a member costs a tenth of a microsecond where it is named by its class.
_AUTHENTICATED = int(Protection.AUTHENTICATED)
_ENCRYPTED = int(Protection.ENCRYPTED)
_PROTECTED = _AUTHENTICATED | _ENCRYPTED
_GLOBAL, _DEDICATED, _BROADCAST = Family.GLOBAL, Family.DEDICATED, Family.BROADCAST
_USUAL = {
    int(protection): protection
    for protection in (Protection.AUTHENTICATED, Protection.ENCRYPTED, Protection.BOTH)
}
"""What is left of a security control octet without the bits of its suite, where nothing in it asks
for a judgement: protected, by a unicast key, not compressed."""
_new = tuple.__new__  # NamedTuple without its Python-level __new__: three times cheaper


@dataclass(slots=True, kw_only=True)
class SecurityContext:
    """What one association protects its APDUs with.

    ``own_title`` and ``peer_title`` are the 8-octet system titles; the peer's is learnt from
    AARQ or AARE. ``guek`` is ``None`` where only the broadcast key ``gbek`` is at home,
    ``dedicated`` is set while a dedicated key lives.

    How lenient the association is with what it receives: ``max_forward_jump`` limits counters
    (R-IC-11), ``empty_title`` admits an empty one in the general forms, ``unprotected`` a security
    control octet without any protection.
    """

    suite: int
    own_title: bytes
    counters: InvocationCounters
    guek: KeyRef | None
    gak: KeyRef | None
    gbek: KeyRef | None = None
    peer_title: bytes | None = None
    dedicated: KeyRef | None = None
    max_forward_jump: int | None = None
    empty_title: bool = True
    unprotected: bool = False

    def encryption_key(self, family: Family) -> KeyRef | None:
        if family is _GLOBAL:
            return self.guek
        if family is _DEDICATED:
            return self.dedicated
        return self.gbek if family is _BROADCAST else None

    def originator(self, announced: bytes | None) -> bytes:
        """The originator's title for the initialization vector.

        The general form repeats the title; it must be the one the association knows (KL-PR-11). An
        empty one stands for it, if that is admitted.
        """
        known = self.peer_title
        if known is None:
            raise CodecError("the peer's system title is not known", field="system-title")
        if announced == b"" and not self.empty_title:
            raise CodecError("empty system title", offset=1, field="system-title")
        if announced and announced != known:
            raise CodecError(
                "not the system title of this association", offset=1, field="system-title"
            )
        return known

    def other_content(self, found: int, promised: int) -> None:
        """There is another APDU inside than the outside says (R-PROT-3, KL-PR-09)."""
        raise CodecError(
            f"deciphered to APDU {found:02X}, {promised:02X} promised", field="ciphered APDU"
        )


class Opened(NamedTuple):
    """A verified APDU, how it was protected, and the floor its counter met."""

    apdu: bytes
    protection: Protection
    family: Family
    form: Form
    counter: int
    floor_before: int


class TooWeak(CodecError):
    """A ciphered APDU announces less protection than is required."""


class Shape(NamedTuple):
    """How an APDU is to be protected.

    ``choice`` is of general-ciphering alone; so is ``transaction_id``, which also goes with a
    signature. An empty one is drawn; a response repeats that of its request.
    """

    family: Family
    form: Form
    protection: Protection
    choice: KeyChoice = KeyChoice.UNICAST
    transaction_id: bytes = b""


def protect(
    context: SecurityContext,
    apdu: bytes | tuple[bytes | KeyRef, ...],
    shape: Shape,
    use: Use,
) -> Step[bytes]:
    """Protect ``apdu`` as ``shape`` says.

    :class:`LocalProtocolError` if there is no such key or its counter is used up, or ``apdu`` is
    none.
    """
    if not apdu:
        raise LocalProtocolError("there is nothing to protect")
    family, form, protection, _, _ = shape
    ek = context.encryption_key(family)
    if ek is None:
        raise LocalProtocolError(_no_key(family))
    control = int(protection) | context.suite
    if family is _BROADCAST:
        control |= KEY_SET_BROADCAST
    counter = context.counters.burn(ek)
    body = b""
    if control & _PROTECTED:
        ak = context.gak if control & _AUTHENTICATED else None
        body = yield _new(Seal, (use, ek, ak, control, context.own_title, counter, apdu, b""))
    if not control & _ENCRYPTED:
        if not isinstance(apdu, bytes):
            raise LocalProtocolError("an APDU that carries a key must be encrypted")
        body = apdu + body
    plain_tag = apdu[0] if isinstance(apdu, bytes) else _first_octet(apdu)
    return encode_ciphered(plain_tag, family, form, control, counter, body, context.own_title)


def _no_key(family: Family) -> str:
    return f"this association has no key for {family.value}-ciphering"


def _first_octet(parts: tuple[bytes | KeyRef, ...]) -> int:
    head = parts[0]
    if isinstance(head, KeyRef):
        raise LocalProtocolError("an APDU does not begin with a key")
    return head[0]


def open_ciphered(
    context: SecurityContext,
    octets: bytes,
    use: Use,
    lift: KeyRef | None = None,
    *,
    required: Protection = Protection.NONE,
) -> Step[Opened]:
    """Verify and decipher a ciphered APDU from the peer.

    ``required`` is judged before anything is deciphered: an APDU that is encrypted only has no tag,
    so where authentication is required its counter must not move the floor (R-IC-6).

    Raises :class:`TooWeak` for that, :class:`CodecError` for what can be refused by its layout,
    :class:`~dlms.security.counters.CounterRefused` for a counter, and lets
    :class:`~dlms.security.ops.CryptoFailure` of the driver pass. In each case nothing has changed.
    """
    family, form, control, counter, apdu, plain_tag, announced_title = decode_ciphered(octets)
    if control & KEY_SET_BROADCAST and context.gbek is not None and family is _GLOBAL:
        family = _BROADCAST
    ek = context.encryption_key(family)
    if ek is None:
        raise CodecError(_no_key(family), offset=0, field="ciphered APDU")
    title = context.originator(announced_title)
    protection = _USUAL.get(control ^ context.suite)
    if protection is None:
        protection = check_control(
            control,
            context.suite,
            broadcast=family is _BROADCAST,
            unprotected=context.unprotected,
        )
    if int(required) & ~control:
        raise TooWeak("protected less than required", field="security-control")
    counters = context.counters
    counters.check(ek, counter, context.max_forward_jump)
    if control & _PROTECTED:
        ak = context.gak if control & _AUTHENTICATED else None
        apdu = yield _new(Open, (use, ek, ak, control, title, counter, apdu, lift, b""))
    if not apdu:
        raise CodecError("nothing inside", field="ciphered APDU")
    if plain_tag is not None and apdu[0] != plain_tag:
        context.other_content(apdu[0], plain_tag)
    floor_before = counters.floor(ek)
    if control & _PROTECTED:  # or anybody could use the key up
        counters.accept(ek, counter)
    return _new(Opened, (apdu, protection, family, form, counter, floor_before))
