"""Methods of Security setup version 1 whose parameters and results are long: by a client that
behaves, blocks included, each in an association of its own.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.axdr.data import Data, DataType, enum, octet_string
from dlms.client.refusals import MeterRefusal
from dlms.cosem.security_setup import (
    CertificateEntry,
    Identification,
    entries_of,
    identification_data,
)
from dlms.cosem.tables.security import SECURITY_SETUP_V1
from dlms.errors import CodecError
from dlms.security.asymmetric import CertificatePurpose
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.conformance.cases.key_changing import method
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.trying.trial import Trial

GENERATE, REQUEST, IMPORT, EXPORT, REMOVE = 4, 5, 6, 7, 8
_CERTIFICATES = 6
"""The attribute that lists them."""


class Outcome(NamedTuple):
    """What came back, or why nothing did: ``refusal`` is empty if it was done."""

    data: Data | None = None
    refusal: str = ""

    @property
    def octets(self) -> bytes:
        """The octet-string that came back; empty if none did."""
        if self.data is None or self.data.type is not DataType.OCTET_STRING:
            return b""
        assert isinstance(self.data.value, bytes)
        return self.data.value


async def ask(trial: Trial, row: DeclaredAssociation, number: int, parameter: Data) -> Outcome:
    """Invoke a method of the Security setup that rules the association. Silence and the end of the
    connection are refusals as well.
    """
    async with trial.session(row) as (client, _):
        try:
            return Outcome(await client.action(method(row, number), parameter))
        except (MeterRefusal, OSError) as error:
            return Outcome(refusal=str(error) or type(error).__name__)


async def generated(trial: Trial, row: DeclaredAssociation, purpose: CertificatePurpose) -> Outcome:
    return await ask(trial, row, GENERATE, enum(purpose.value))


async def requested(trial: Trial, row: DeclaredAssociation, purpose: CertificatePurpose) -> Outcome:
    """A request for a certificate, PKCS #10."""
    return await ask(trial, row, REQUEST, enum(purpose.value))


async def imported(trial: Trial, row: DeclaredAssociation, der: bytes) -> Outcome:
    return await ask(trial, row, IMPORT, octet_string(der))


async def exported(trial: Trial, row: DeclaredAssociation, named: Identification) -> Outcome:
    return await ask(trial, row, EXPORT, identification_data(named))


async def removed(trial: Trial, row: DeclaredAssociation, named: Identification) -> Outcome:
    return await ask(trial, row, REMOVE, identification_data(named))


async def listed(trial: Trial, row: DeclaredAssociation) -> tuple[CertificateEntry, ...]:
    """The certificates that the device says it holds. :class:`Unjudged` if it does not say."""
    where = AttributeDescriptor(SECURITY_SETUP_V1.class_id, row.security_setup, _CERTIFICATES)
    async with trial.session(row) as (client, _):
        try:
            return entries_of(await client.get(where))
        except (MeterRefusal, CodecError) as error:
            raise Unjudged(f"the certificates of {row.name} are not listed: {error}") from error
