"""What clients can do: one frozen value each."""

from __future__ import annotations

from dataclasses import dataclass

from dlms.axdr.data import Data
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.fuzz.twist import STRAIGHT, Edits, Twist


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """Something that ``client`` says."""

    client: str
    twist: Twist = STRAIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class AarqChange:
    """Fields of an AARQ that are other than they should be; ``None`` leaves a field as it is.

    ``mechanism`` is a number, 0 leaves the authentication out. ``challenge`` is what is presented,
    ``text`` whether it is a charstring, ``reflect`` presents what the meter has challenged that
    client with. ``title`` empty leaves it out. ``initiate`` changes a plain
    InitiateRequest, ``plain`` puts one where a ciphered one is due.
    """

    mechanism: int | None = None
    challenge: bytes | None = None
    text: bool = True
    reflect: str = ""
    title: bytes | None = None
    initiate: Edits = ()
    plain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(_Spoken):
    """The whole way into an association: AARQ and the passes of HLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge(_Spoken):
    """Passes 1 and 2: the AARQ and its answer."""

    change: AarqChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate(_Spoken):
    """Passes 3 and 4; ``bare`` without the protection that the association has."""

    bare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(_Spoken):
    """RLRQ; ``plain`` where it should be protected."""

    plain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang(_Spoken):
    """The lower layer ends, without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Get(_Spoken):
    attribute: AttributeDescriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(_Spoken):
    attribute: AttributeDescriptor
    value: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(_Spoken):
    method: MethodDescriptor
    parameter: Data | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(_Spoken):
    """Any plain APDU, protected as this client does it, or in another way; nobody keeps the client
    from it, whatever its association is. ``family`` and ``form`` are as in
    :mod:`dlms.security.ciphered`, ``protection`` as in the security control octet; ``bare`` is
    without any.
    """

    plain: bytes
    family: str = ""
    form: str = ""
    protection: int | None = None
    bare: bool = False
    choice: str = ""
    transaction: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay(_Spoken):
    """The octets that were sent in an earlier step of the run, from 1, once more: all of them, or
    the one APDU of that number in it, from 0. ``heard``: those that the meter has answered there,
    which come back to it.
    """

    step: int
    apdu: int | None = None
    heard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """One entry of a key_transfer. ``key`` says what the new key is: ``new``, ``zeros``, ``former``
    (the one before the present), ``title`` (the meter's, repeated), ``counted`` (octets 0, 1, 2 and
    so on: the same in each entry), or a kind: the key of that kind that is in force.
    ``under`` is ``KEK``, ``former KEK``, or ``new KEK``: that of another entry. ``length`` is that
    of the new key in octets.
    """

    key_id: int
    key: str = "new"
    under: str = "KEK"
    length: int | None = None
    edits: Edits = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(_Spoken):
    """key_transfer of any array, of keys of the client's association. The client goes on under the
    new ones if the meter has said so. ``via`` is another client that says it; ``raw`` is past its
    core, which might not do it. The array has all entries ``times`` times.
    """

    entries: tuple[NewKey, ...]
    via: str = ""
    raw: bool = False
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate(_Spoken):
    """A proper key_transfer of new keys, as our head end does it."""

    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agree(_Spoken):
    """A proper key_agreement, as our head end does it."""

    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSecret(_Spoken):
    """change_HLS_secret to a new one, wrapped under the master key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeKeys(_Spoken):
    """From the next association on, this client goes by other keys, without a word: ``doubtful``
    are those of a change whose answer was lost, ``former`` those before the last change,
    ``current`` the meter's; only those of ``kinds``, if any are named.
    """

    which: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PutCounter(_Spoken):
    """The client's next counter of a key is another, as after a restored backup. ``floor`` moves
    what it accepts.
    """

    key: str = "GUEK"
    send: int | None = None
    floor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp(_Spoken):
    """The client asks the public client's counter object, and moves forward if it is to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certify(_Spoken):
    """import_certificate of one that the fleet's authority issues. ``whose`` is ``meter`` or
    ``client``, or a system title; ``purpose`` as in the Security setup. ``public`` is of which key:
    ``own`` or ``other``, or of the request of an earlier step. ``root`` imports a root of nobody,
    ``self_signed`` a certificate that leads to no anchor; ``usage`` puts that of another purpose
    into it, ``both`` all of them; ``days`` is how long it is valid from now.
    """

    whose: str = "meter"
    purpose: str = "SIGNATURE"
    request: int | None = None
    authority: str = "fleet"
    usage: str = ""
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(_Spoken):
    """A token is keyed in, or sent if ``client`` is not empty. ``key`` is that it was made with:
    ``current`` or ``former``. ``digits`` changes them.
    """

    pence: int
    counter: int
    key: str = "current"
    digits: Edits = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm(_Spoken):
    """The same message again and again, ``times`` times, with a tag that is wrong: from fresh
    counters of the attacker's choice, which is the client's own.
    """

    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd(_Spoken):
    """Passes 1 and 2 on so many connections of their own, and nobody goes on."""

    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """TLS to the meter; what ``client`` says from now on is in that channel. ``resume`` is with its
    session of before. ``days`` is how long its certificate is valid from now: 0 is until today,
    -1 until yesterday. ``garbage`` is sent instead.
    """

    client: str
    resume: bool = False
    days: int | None = None
    garbage: bytes = b""
