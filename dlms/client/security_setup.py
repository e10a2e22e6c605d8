"""The dialogues of Security setup version 1: policy, keys, key pairs and certificates (Blue Book
4.4.7), with the client's end of each change.

What was changed is in force for the client once the meter has said so, from the next APDU on
(R-KEY-3). If the answer never comes nobody knows whether the meter has changed: the association
keeps its keys, and ``in_doubt`` are those that the meter has if it has (KL-KT-11).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys
from dlms.axdr.data import Data, DataType, enum, octet_string
from dlms.client.effects import Compute, Dialogue
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
from dlms.security.control import POLICY_V0
from dlms.security.key_agreement import KEY_IDS, Parties, Place, conclude, offer
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    CertificatePurpose,
    CryptoFailure,
    Discard,
    GenerateKey,
    Step,
    Use,
    Wrap,
)
from dlms.security.suites import SUITES
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor

Lasting: TypeAlias = Callable[[KeyRef], KeyRef]
"""Gives a new key, which is in the module, the name that it will keep."""

FIELDS = {KeyKind.GUEK: "guek", KeyKind.GBEK: "gbek", KeyKind.GAK: "gak", KeyKind.KEK: "kek"}
"""Where each global key is among those of an association."""

_KEY_ID = {kind: key_id for key_id, kind in KEY_IDS.items()}
_CERTIFICATES = 6


class MeterKey(NamedTuple):
    """A public key of the meter's (``x ‖ y``), and what it is for."""

    purpose: CertificatePurpose
    public: bytes


def as_made(ref: KeyRef) -> KeyRef:
    """The next version of the key that was there before."""
    return ref


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
        self._lasting = lasting
        self.in_doubt: AssociationKeys | None = None

    # Policy ---------------------------------------------------------------------------------------

    def activate_policy(self, policy: Policy, version: int = 1) -> Dialogue[None]:
        """security_activate of the class in that ``version``. From then on requests are protected
        as it demands.
        """
        number = policy.bits
        if version == 0:
            if policy.request != policy.response or policy.request not in POLICY_V0.values():
                raise LocalProtocolError("version 0 has one policy for all messages, and A and E")
            number = next(n for n, known in POLICY_V0.items() if known == policy.request)
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
        _check(kinds)
        fresh: dict[KeyKind, KeyRef] = {}
        wrapped: dict[int, bytes] = yield Compute(self._wrap(kek, kinds, fresh))
        self.in_doubt = self._with(fresh)
        try:
            yield from self._act(2, keys_data(wrapped))
        except MeterRefusal:
            self.in_doubt = None
            yield Compute(_discard(Use.TRANSFER_KEY, fresh.values()))
            raise
        self._adopt(fresh)

    def agree_keys(self, kinds: Sequence[KeyKind]) -> Dialogue[None]:
        """key_agreement: agree new keys with the meter, and go on under them."""
        parties = self._parties()
        _check(kinds)
        pairs = {_KEY_ID[kind]: self._pair(kind) for kind in kinds}
        offered: dict[int, bytes] = yield Compute(_offer(parties, pairs))
        try:
            returned = yield from self._act(3, keys_data(offered))
            answers = keys_of(returned)
            if answers.keys() != offered.keys():
                raise CodecError("other keys than were asked for", field="key_agreement")
            fresh: dict[KeyKind, KeyRef] = yield Compute(self._conclude(parties, pairs, answers))
        except DlmsError as error:
            yield Compute(_discard(Use.AGREE_KEY, pairs.values()))
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

    def _wrap(
        self, kek: KeyRef, kinds: Sequence[KeyKind], fresh: dict[KeyKind, KeyRef]
    ) -> Step[dict[int, bytes]]:
        """Make the keys of ``kinds``, note their names in ``fresh``, and wrap them."""
        length = SUITES[self._association.config.suite].key_length
        wrapped = {}
        try:
            for kind in kinds:
                made = self._successor(kind)
                yield GenerateKey(Use.TRANSFER_KEY, made, length)
                fresh[kind] = self._lasting(made)
                wrapped[_KEY_ID[kind]] = yield Wrap(Use.TRANSFER_KEY, kek, fresh[kind])
        except CryptoFailure:
            yield from _discard(Use.TRANSFER_KEY, fresh.values())
            raise
        return wrapped

    def _conclude(
        self, parties: Parties, pairs: Mapping[int, KeyRef], answers: Mapping[int, bytes]
    ) -> Step[dict[KeyKind, KeyRef]]:
        fresh: dict[KeyKind, KeyRef] = {}
        keys = self._association.keys
        present = [getattr(keys, field) for field in FIELDS.values()]
        used = tuple(ref for ref in present if ref is not None)
        try:
            for key_id, key_data in answers.items():
                kind = KEY_IDS[key_id]
                made = self._successor(kind)
                place = Place(pairs[key_id], made, (*used, *fresh.values()))
                yield from conclude(parties, key_id, place, key_data)
                fresh[kind] = self._lasting(made)
        except DlmsError:
            yield from _discard(Use.AGREE_KEY, fresh.values())
            raise
        return fresh

    def _parties(self) -> Parties:
        association = self._association
        config, keys = association.config, association.keys
        if SUITES[config.suite].curve is None:
            raise LocalProtocolError("key agreement needs security suite 1 or 2")
        if keys.signing_key is None or keys.peer_public is None:
            raise LocalProtocolError("key agreement needs both parties' signature keys")
        if config.own_title is None or association.server_title is None:
            raise LocalProtocolError("key agreement needs both system titles")
        return Parties(
            suite=config.suite,
            client_title=config.own_title,
            server_title=association.server_title,
            signing_key=keys.signing_key,
            peer_signing_public=keys.peer_public,
            algorithm_id=config.knobs.algorithm_id_form,
        )

    def _successor(self, kind: KeyKind) -> KeyRef:
        """A name for the key that comes after the present one."""
        keys = self._association.keys
        present: KeyRef | None = getattr(keys, FIELDS[kind])
        if present is not None:
            return present._replace(version=present.version + 1)
        known = keys.kek or keys.signing_key
        assert known is not None  # there would be no new keys
        return KeyRef(known.holder, known.scope, kind, version=1)

    def _pair(self, kind: KeyKind) -> KeyRef:
        """A name for our ephemeral key: it lives while one key is agreed."""
        signer = self._association.keys.signing_key
        assert signer is not None  # _parties()
        scope = f"{signer.scope}#{kind.name}"
        return KeyRef(signer.holder, scope, KeyKind.AGREEMENT_KEY, KeyLifetime.SINGLE_ASSOCIATION)

    def _with(self, fresh: Mapping[KeyKind, KeyRef]) -> AssociationKeys:
        fields: dict[str, Any] = {FIELDS[kind]: ref for kind, ref in fresh.items()}
        return self._association.keys._replace(**fields)

    def _adopt(self, fresh: Mapping[KeyKind, KeyRef]) -> None:
        self.in_doubt = None
        self._association.adopt(self._with(fresh))


def _check(kinds: Sequence[KeyKind]) -> None:
    if not kinds or len(set(kinds)) != len(kinds) or not set(kinds) <= FIELDS.keys():
        raise LocalProtocolError("global keys are needed, each once")


def _offer(parties: Parties, pairs: Mapping[int, KeyRef]) -> Step[dict[int, bytes]]:
    offered = {}
    try:
        for key_id, pair in pairs.items():
            offered[key_id] = yield from offer(parties, key_id, pair)
    except DlmsError:
        yield from _discard(Use.AGREE_KEY, pairs.values())
        raise
    return offered


def _discard(use: Use, refs: Iterable[KeyRef]) -> Step[None]:
    for ref in refs:
        yield Discard(use, ref)
