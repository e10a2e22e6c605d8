"""Changing ClientHellos before they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from tlslite.constants import ExtensionType
from tlslite.extensions import TLSExtension

from emulator.conformance.tls_peer import offer
from emulator.conformance.trying.trial import Trial

Change: TypeAlias = Callable[[Any], None]
"""Changes a :class:`tlslite.messages.ClientHello` in place."""

RENEGOTIATION_SCSV = 0x00FF
TRUNCATED_HMAC = 4
HEARTBEAT = 15
EARLY_DATA = 42


def changes(*each: Change) -> Change:
    def change(hello: Any) -> None:
        for one in each:
            one(hello)

    return change


def suites(numbers: Sequence[int]) -> Change:
    """These, in their order, and the signal that renegotiation would be secure."""

    def change(hello: Any) -> None:
        if hello.client_version > (3, 0) or numbers:
            hello.cipher_suites = [*numbers, RENEGOTIATION_SCSV]

    return change


def curves(numbers: Sequence[int]) -> Change:
    def change(hello: Any) -> None:
        extension = hello.getExtension(ExtensionType.supported_groups)
        if extension is not None:
            extension.groups = list(numbers)

    return change


def signatures(schemes: Sequence[offer.Scheme]) -> Change:
    def change(hello: Any) -> None:
        extension = hello.getExtension(ExtensionType.signature_algorithms)
        if extension is not None:
            extension.sigalgs = list(schemes)

    return change


def extension(number: int, content: bytes = b"") -> Change:
    """One more extension."""

    def change(hello: Any) -> None:
        without(number)(hello)
        hello.extensions.insert(0, TLSExtension(extType=number).create(bytearray(content)))

    return change


def without(*numbers: int) -> Change:
    """Less these extensions."""

    def change(hello: Any) -> None:
        hello.extensions = [one for one in hello.extensions if one.extType not in numbers]

    return change


def compression(methods: Iterable[int]) -> Change:
    def change(hello: Any) -> None:
        hello.compression_methods = list(methods)

    return change


def as_declared(trial: Trial) -> Change:
    """What a client of this device offers, and the randomness of the trial. Nothing that is not
    said in the declaration is changed.
    """
    settings = trial.declaration.settings

    def change(hello: Any) -> None:
        hello.random = bytearray(trial.rng.randbytes(32))
        without(HEARTBEAT)(hello)
        if hello.client_version != (3, 3) or hello.getExtension(ExtensionType.supported_versions):
            return
        if settings.get("tls.suites"):
            suites(offer.suites(trial))(hello)
        if settings.get("tls.curves"):
            curves(offer.curves(trial))(hello)
        if settings.get("tls.signatures"):
            signatures(offer.signatures(trial))(hello)

    return change
