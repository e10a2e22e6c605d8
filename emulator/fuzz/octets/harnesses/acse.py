"""The APDUs that open and release an association."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import (
    AssociationResult,
    ProviderDiagnostic,
    ReleaseRequestReason,
    ReleaseResponseReason,
    UserDiagnostic,
)
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import Rlre, Rlrq
from dlms.errors import CodecError
from emulator.fuzz.octets import laws, sources, words
from emulator.fuzz.octets.harness import Harness, Structure

_CODES = (
    AssociationResult, ProviderDiagnostic, UserDiagnostic, ReleaseRequestReason,
    ReleaseResponseReason,
)  # fmt: skip


def _aarqs() -> Iterable[bytes]:
    yield from sources.vectors("acse", begin=b"\x60")
    yield from sources.built("acse-aarq")
    for mechanism in Mechanism:
        yield Aarq(
            ApplicationContext.LN_CIPHERED.oid,
            sender_acse_requirements=True,
            mechanism_name=mechanism.oid,
            calling_ap_title=b"LAB\0\0\0\0\1",
            calling_ae_qualifier=bytes(20),
            calling_ae_invocation_id=255,
            calling_authentication_value=AuthenticationValue(b"12345678"),
            implementation_information=b"lab",
            user_information=bytes.fromhex("01000000065F1F0400007E1F04B0"),
        ).encode()


def _aares() -> Iterable[bytes]:
    yield from sources.vectors("acse", begin=b"\x61")
    yield from sources.built("acse-aare")


def _releases(tag: int) -> Callable[[], Iterable[bytes]]:
    def seeds() -> Iterable[bytes]:
        yield from sources.vectors("acse", begin=bytes((tag,)))
        yield from sources.built("acse-rlrq" if tag == 0x62 else "acse-rlre")
        yield (Rlrq() if tag == 0x62 else Rlre()).encode()

    return seeds


def _words() -> Iterable[bytes]:
    yield from words.acse()
    yield from words.codes(*_CODES)


def _harness(
    kind: type[Aarq] | type[Aare] | type[Rlrq] | type[Rlre], seeds: Callable[[], Iterable[bytes]]
) -> Harness:
    decode: Callable[[bytes], object] = kind.decode
    encode: Callable[[object], bytes] = kind.encode  # type: ignore[assignment]
    return Harness(
        name=f"acse.{kind.__name__.lower()}",
        takes=f"one {kind.__name__.upper()}",
        play=laws.codec(decode, encode, (CodecError,)),
        seeds=seeds,
        words=_words,
        structure=Structure(read=decode, write=encode),
        is_ber=True,
    )


HARNESSES = (
    _harness(Aarq, _aarqs),
    _harness(Aare, _aares),
    _harness(Rlrq, _releases(0x62)),
    _harness(Rlre, _releases(0x63)),
)
