"""The dialogues of Security setup version 1: policy, keys, key pairs and certificates (Blue Book
4.4.7), with the client's end of each change.

What was changed is in force for the client once the meter has said so, from the next APDU on
(R-KEY-3). If the answer never comes nobody knows whether the meter has changed: the association
keeps its keys, and ``in_doubt`` are those that the meter has if it has (KL-KT-11).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys
from dlms.axdr.data import Data, DataType, enum, octet_string
from dlms.client.effects import Compute, Dialogue
from dlms.client.new_keys import KEY_ID_OF, Lasting, NewKeys, as_made, check_kinds, discard, offers
from dlms.client.refusals import MeterRefusal
from dlms.cosem.security_setup import (
    CertificateEntry,
    Identification,
    Policy,
    entries_of,
    identification_data,
    keys_data,
    keys_of,
)
from dlms.cosem.tables.security import SECURITY_SETUP_V1
from dlms.errors import CodecError, DlmsError, LocalProtocolError, RemoteProtocolError
from dlms.security.control import POLICY_V0_NUMBERS
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CertificatePurpose, CryptoFailure, Use
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor

_CERTIFICATES = 6


class MeterKey(NamedTuple):
    """A public key of the meter's (``x ‖ y``), and what it is for."""

    purpose: CertificatePurpose
    public: bytes


class Reaching(Protocol):
    """Attributes and methods by class, logical name and number, whatever names the association
    goes by: :class:`~dlms.client.dialogue.Dialogues`, for example.
    """

    def get(self, attribute: AttributeDescriptor) -> Dialogue[Data]: ...

    def action(self, method: MethodDescriptor, parameter: Data | None) -> Dialogue[Data | None]: ...


class SecuritySetupDialogues:
    """One Security setup object, ``instance``.

    What each raises besides the refusals of :class:`~dlms.client.dialogue.Dialogues`:
    :class:`LocalProtocolError` if a key that is needed is missing; nothing has been sent then.
    :class:`RemoteProtocolError` if the meter's answer is not what it must be.
    """

    def __init__(
        self,
        dialogues: Reaching,
        association: ClientAssociation,
        instance: bytes,
        lasting: Lasting = as_made,
    ) -> None:
        self._dialogues = dialogues
        self._association = association
        self._instance = instance
        self._new = NewKeys(association, lasting)
        self.in_doubt: AssociationKeys | None = None

    # Policy ---------------------------------------------------------------------------------------

    def activate_policy(self, policy: Policy, version: int = 1) -> Dialogue[None]:
        """security_activate of the class in that ``version``. From then on requests are protected
        as it demands.
        """
        number = policy.bits
        if version == 0:
            if policy.request != policy.response or policy.request not in POLICY_V0_NUMBERS:
                raise LocalProtocolError("version 0 has one policy for all messages, and A and E")
            number = POLICY_V0_NUMBERS[policy.request]
        yield from self._act(1, enum(number))
        config = self._association.config
        protection = config.protection | policy.request
        self._association.config = dataclasses.replace(config, protection=protection)

    # Global keys ----------------------------------------------------------------------------------

    def transfer_keys(self, kinds: Sequence[KeyKind]) -> Dialogue[None]:
        """key_transfer: make new keys, wrap them under the master key, and go on under them."""
        kek = self._association.keys.kek
        if kek is None:
            raise LocalProtocolError("a key transfer needs the master key")
        check_kinds(kinds)
        fresh: dict[KeyKind, KeyRef] = {}
        wrapped: dict[int, bytes] = yield Compute(self._new.wrap(kek, kinds, fresh))
        self.in_doubt = self._new.among(fresh)
        try:
            yield from self._act(2, keys_data(wrapped))
        except MeterRefusal:
            self.in_doubt = None
            yield Compute(discard(Use.TRANSFER_KEY, fresh.values()))
            raise
        self._adopt(fresh)

    def agree_keys(self, kinds: Sequence[KeyKind]) -> Dialogue[None]:
        """key_agreement: agree new keys with the meter, and go on under them."""
        parties = self._new.parties()
        check_kinds(kinds)
        pairs = {KEY_ID_OF[kind]: self._new.pair(kind) for kind in kinds}
        offered: dict[int, bytes] = yield Compute(offers(parties, pairs))
        try:
            returned = yield from self._act(3, keys_data(offered))
            answers = keys_of(returned)
            if answers.keys() != offered.keys():
                raise CodecError("other keys than were asked for", field="key_agreement")
            fresh: dict[KeyKind, KeyRef] = yield Compute(
                self._new.conclude(parties, pairs, answers)
            )
        except DlmsError as error:
            yield Compute(discard(Use.AGREE_KEY, pairs.values()))
            if isinstance(error, CodecError | CryptoFailure):
                raise RemoteProtocolError(f"key_agreement: {error}", reason="key-data") from error
            raise
        self._adopt(fresh)

    # Key pairs and certificates -------------------------------------------------------------------

    def generate_key_pair(self, purpose: CertificatePurpose) -> Dialogue[None]:
        """Let the meter make a key pair; it waits for its certificate."""
        yield from self._act(4, enum(purpose.value))

    def certificate_request(self, purpose: CertificatePurpose) -> Dialogue[bytes]:
        """The PKCS #10 request (DER) for the pair that waits, or else for the one in force."""
        return (yield from self._octets(5, enum(purpose.value)))

    def import_certificate(
        self, certificate: bytes, meter_key: MeterKey | None = None
    ) -> Dialogue[None]:
        """Give the meter a certificate (DER). ``meter_key`` is the key in it, if it is the meter's
        own: the client goes by that from then on.
        """
        yield from self._act(6, octet_string(certificate))
        keys = self._association.keys
        if meter_key is None:
            return
        if meter_key.purpose is CertificatePurpose.SIGNATURE:
            keys = keys._replace(peer_public=meter_key.public)
        elif meter_key.purpose is CertificatePurpose.KEY_AGREEMENT:
            keys = keys._replace(peer_agreement_public=meter_key.public)
        self._association.adopt(keys)

    def export_certificate(self, named: Identification) -> Dialogue[bytes]:
        """The certificate (DER) of that name."""
        return (yield from self._octets(7, identification_data(named)))

    def remove_certificate(self, named: Identification) -> Dialogue[None]:
        """Remove a certificate; with the meter's own goes the private key."""
        yield from self._act(8, identification_data(named))

    def certificates(self) -> Dialogue[tuple[CertificateEntry, ...]]:
        """Those that the meter holds."""
        where = AttributeDescriptor(SECURITY_SETUP_V1.class_id, self._instance, _CERTIFICATES)
        value = yield from self._dialogues.get(where)
        try:
            return entries_of(value)
        except CodecError as error:
            raise RemoteProtocolError(str(error), reason="certificates") from error

    # Helpers --------------------------------------------------------------------------------------

    def _act(self, method: int, parameter: Data) -> Dialogue[Data | None]:
        where = MethodDescriptor(SECURITY_SETUP_V1.class_id, self._instance, method)
        return (yield from self._dialogues.action(where, parameter))

    def _octets(self, method: int, parameter: Data) -> Dialogue[bytes]:
        returned = yield from self._act(method, parameter)
        if returned is None or returned.type is not DataType.OCTET_STRING:
            raise RemoteProtocolError("an octet-string should come back", reason="return-parameter")
        assert isinstance(returned.value, bytes)
        return returned.value

    def _adopt(self, fresh: Mapping[KeyKind, KeyRef]) -> None:
        self.in_doubt = None
        self._association.adopt(self._new.among(fresh))
