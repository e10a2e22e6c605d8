"""Signed requests: of one's own key or another, as they are or altered, and ciphered around."""

from __future__ import annotations

from dlms.octets import encode_octet_string
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.security.general_header import GeneralHeader
from dlms.security.general_signing import (
    GENERAL_SIGNING,
    decode_general_signing,
    sign_general,
)
from dlms.security.keys import KeyRef
from dlms.security.ops import Use
from emulator.conformance.cases.securing import shaped
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import LOGICAL_NAME, After, Probe
from emulator.conformance.probing.seen import Seen

_TRANSACTION_ID = bytes(range(1, 9))
"""A signature is as good under any."""


def signed(
    probe: Probe, apdu: bytes, signer: KeyRef | None = None, after: After | None = None
) -> bytes:
    """``apdu`` in a general-signing APDU, by one's own key or ``signer``; ``after`` alters it when
    it has its signature.
    """
    general = probe.general
    assert general is not None  # the context is ciphered
    own = general.signing_key
    general.signing_key = own if signer is None else signer
    try:
        header = general.header(_TRANSACTION_ID)
        octets = probe.run(sign_general(general, apdu, header, Use.PROTECT_REQUEST))
    finally:
        general.signing_key = own
    return octets if after is None else after(octets)


async def signed_read(
    probe: Probe,
    row: DeclaredAssociation,
    form: Form = Form.GENERAL,
    *,
    signer: KeyRef | None = None,
    after: After | None = None,
) -> Seen:
    """A signed read, ciphered around in that form if the policy asks for any ciphering."""
    octets = signed(probe, probe.get_request(LOGICAL_NAME).encode(), signer, after)
    if not row.policy.octet:
        return await probe.exchange(octets)
    return await probe.request(octets, shaped(Protection.BOTH, form))


def with_header(header: GeneralHeader, octets: bytes) -> bytes:
    """A signed APDU with another header than its signature is about."""
    message = decode_general_signing(octets)
    return b"".join(
        (
            bytes((GENERAL_SIGNING,)),
            header.encode(),
            encode_octet_string(message.content),
            encode_octet_string(message.signature),
        )
    )
