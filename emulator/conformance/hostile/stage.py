"""Where a vice meets what goes in and out of the meter, and where the head end is watched."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from devices.answering.asking import Answerable
from devices.device import Device
from devices.profile.model import AssociationRow
from dlms.acse.aare import TAG as AARE
from dlms.acse.aare import Aare
from dlms.acse.aarq import TAG as AARQ
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult
from dlms.acse.release import RLRQ_TAG as RLRQ
from dlms.errors import CodecError
from dlms.security.ciphered import Family, Form, decode_ciphered, is_ciphered
from dlms.security.control import Protection
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.layers import is_layer
from dlms.security.ops import CryptoOp, Open, Seal, Use
from dlms.security.protect import SecurityContext, Shape, protect
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from dlms.xdlms.registry import AnyResponse
from emulator.conformance.hostile.vice import Reply, Vice
from emulator.conformance.hostile.watch import Asked, Watch
from emulator.conformance.probing.line import visible_counter
from emulator.conformance.probing.record import Direction, Level, Recorder
from emulator.faults.fault import Fault
from emulator.mains import Mains
from emulator.modules.keyring import KeyRing
from emulator.serving.taps import Parcel, Place
from emulator.serving.workings import Execute


class Stage:
    """One meter for one task. ``association`` is that of the head end; others are left alone.

    ``begin`` is what a kind of fault begins with: it leads all that passes through here.
    """

    def __init__(
        self, association: str, recorder: Recorder, rng: random.Random, slowness: float = 1.0
    ) -> None:
        self.association = association
        self.slowness = slowness
        """Seconds that a slow response may take."""
        self.rng = rng
        self.watch = Watch()
        self.client_max_pdu = 0
        """What the head end takes at once, as it has said; 0 for any number."""
        self.conformance = 0
        """What it has proposed."""
        self.title = b""
        """Its system title, as it has said."""
        self.request_apdu = b""
        """The request that is served now, as it came."""
        self.highest = -1
        """Of the counters that the meter has used under its encryption keys."""
        self.vice = Vice(self, {})
        self._recorder = recorder
        self._fault: Fault | None = None
        self._state: dict[str, str] = {}
        self._replies: dict[str, int] = {}
        self._request = self._plain = b""
        self._serving = ""

    # For vices ------------------------------------------------------------------------------------

    @property
    def device(self) -> Device:
        assert self._fault is not None, "the meter is not there yet"
        return self._fault.reach.mains.host.device

    @property
    def mains(self) -> Mains:
        """The meter's."""
        assert self._fault is not None, "the meter is not there yet"
        return self._fault.reach.mains

    @property
    def ring(self) -> KeyRing:
        """The meter's keys."""
        assert self._fault is not None, "the meter is not there yet"
        return self._fault.reach.ring

    @property
    def row(self) -> AssociationRow:
        return self.device.profile.associations[self.association]

    @property
    def guek(self) -> KeyRef | None:
        """The encryption key that is in force."""
        return self.device.keys(self.row).guek

    def acts(self, text: str) -> None:
        """The meter misbehaves now: said in the record, and remembered."""
        self._recorder.note(f"the meter misbehaves: {text}")
        self.watch.acts += 1
        if self.watch.acted is None:
            self.watch.acted = len(self.watch.asked)
        self.watch.acted_last = len(self.watch.asked)

    def cannot(self, why: str) -> None:
        """It cannot misbehave so with this head end."""
        self.watch.cannot = self.watch.cannot or why

    def sealed(self, plain: bytes, form: Form | None = None) -> bytes:
        """Another APDU to the head end, protected as its last request was, with a counter of its
        own; plain where that was.
        """
        asked = self.request_apdu
        if not asked or not is_ciphered(asked[0]):
            return plain
        ciphered, keys, device = decode_ciphered(asked), self.device.keys(self.row), self.device
        context = SecurityContext(
            suite=self.row.config.suite,
            own_title=device.title,
            counters=device.state.counters,
            guek=keys.guek,
            gak=keys.gak,
            peer_title=self.title,
        )
        if ciphered.family is not Family.GLOBAL:
            self.cannot("it uses a dedicated key, and is sent nothing unasked under that")
            return plain
        shape = Shape(Family.GLOBAL, form or ciphered.form, Protection.BOTH)
        step = protect(context, plain, shape, Use.PROTECT_RESPONSE)
        assert self._fault is not None
        return run(step, self._fault.reach.mains.host.execute)

    # The way in and out ---------------------------------------------------------------------------

    def begin(self, fault: Fault) -> None:
        """Stand on all ways of a meter."""
        self._fault = fault
        fault.tap(Place.OCTETS_IN, self._octets_in)
        fault.tap(Place.OCTETS_OUT, self._octets_out)
        fault.tap(Place.APDU_IN, self._in)
        fault.tap(Place.APDU_OUT, self._out)
        fault.answer(self._answer)
        fault.detour(self._compute)

    def _octets_in(self, parcel: Parcel) -> Iterable[Parcel]:
        self._recorder.add(Direction.RECEIVED, Level.OCTETS, parcel.octets)
        return (parcel,)

    def _octets_out(self, parcel: Parcel) -> Iterable[Parcel]:
        parcels = tuple(self.vice.octets(parcel))
        for one in parcels:
            self._recorder.add(Direction.SENT, Level.OCTETS, one.octets)
        return parcels

    def _in(self, parcel: Parcel) -> Iterable[Parcel]:
        self._keep(Direction.RECEIVED, parcel)
        if parcel.association != self.association:
            return (parcel,)
        apdu, peer = parcel.octets, parcel.peer
        family, counter = visible_counter(apdu)
        guek = self.guek
        version = 0 if guek is None else guek.version
        self.watch.asked.append(
            Asked(apdu=apdu, peer=peer, family=family, counter=counter, key=version)
        )
        self._request = self._plain = b""
        self._serving, self.request_apdu = peer, apdu
        tag = apdu[0] if apdu else -1
        if tag == AARQ:
            self._state[peer] = "associating"
            return (parcel._replace(octets=self._aarq(apdu)),)
        if tag == RLRQ:
            self._state.pop(peer, None)
            return (parcel,)
        if self._state.get(peer) != "open":
            return (parcel,)
        if not is_layer(tag):
            self._request = self.vice.understood(apdu)
            parcel = parcel._replace(octets=self._request)
        return self.vice.request(parcel)

    def _aarq(self, apdu: bytes) -> bytes:
        try:
            aarq = Aarq.decode(apdu)
        except CodecError:
            return apdu
        self.title = aarq.calling_ap_title or b""
        changed = self.vice.aarq(aarq)
        information = changed.user_information or b""
        if information and not is_layer(information[0]):
            changed = changed._replace(user_information=self._initiate_in(information))
        return apdu if changed == aarq else changed.encode()

    def _initiate_in(self, plain: bytes) -> bytes:
        try:
            initiate = InitiateRequest.decode(plain)
        except CodecError:
            return plain
        self.client_max_pdu = initiate.client_max_receive_pdu_size
        self.conformance = int(initiate.conformance)
        # One attribute at a time, as small meters have it: so a vice meets each by itself.
        single = initiate._replace(conformance=initiate.conformance & ~_SEVERAL)
        return self.vice.initiate_request(single).encode()

    def _answer(self, request: Answerable, association: str) -> AnyResponse | None:
        return self.vice.answer(request) if association == self.association else None

    def _out(self, parcel: Parcel) -> Iterable[Parcel]:
        if parcel.association != self.association:
            self._keep(Direction.SENT, parcel)
            return (parcel,)
        said = tuple(parcel._replace(octets=octets) for octets in self._said(parcel))
        for one in said:
            self._keep(Direction.SENT, one)
        return said

    def _said(self, parcel: Parcel) -> Iterable[bytes]:
        octets, peer = parcel.octets, parcel.peer
        state = self._state.get(peer, "")
        if octets[:1] == bytes((AARE,)):
            return (self._aare(octets, peer),)
        if state == "pending":
            # What the meter makes of pass 3; if it refuses, nothing follows that could be told of.
            self._open(peer)
            return (octets if self._plain else self.vice.pass_4(octets),)
        if state != "open":
            return (octets,)
        plain = self._plain
        if not plain and not is_layer(octets[0]):
            octets = plain = self.vice.response(octets, self._request)
        self._replies[peer] += 1
        return self.vice.reply(Reply(octets, self._request, plain, self._replies[peer]))

    def _aare(self, octets: bytes, peer: str) -> bytes:
        aare = Aare.decode(octets)
        if aare.result is not AssociationResult.ACCEPTED:
            return octets
        if self.row.config.mechanism.is_hls:
            self._state[peer] = "pending"
        else:
            self._open(peer)
        changed = self.vice.aare(aare)
        information = changed.user_information or b""
        if information and not is_layer(information[0]):
            changed = changed._replace(user_information=self._initiate_out(information))
        return octets if changed == aare else changed.encode()

    def _initiate_out(self, plain: bytes) -> bytes:
        try:
            return self.vice.initiate_response(InitiateResponse.decode(plain)).encode()
        except CodecError:
            return plain

    def _open(self, peer: str) -> None:
        self._state[peer] = "open"
        self._replies[peer] = 0
        self.watch.opened += 1
        if self.watch.acted is not None:
            self.watch.opened_since += 1

    # Within ---------------------------------------------------------------------------------------

    def _compute(self, op: CryptoOp, execute: Execute) -> Any:
        if isinstance(op, Seal) and isinstance(op.payload, bytes) and self._is_ours(op.ek):
            op = op._replace(payload=self._sealing(op.use, op.payload))
            self.highest = max(self.highest, op.counter)
        result = self.vice.compute(op, execute)
        if isinstance(op, Open) and self._is_ours(op.ek):
            if op.use is Use.ASSOCIATION:
                return self._initiate_in(result)
            if op.use is Use.OPEN_REQUEST:
                self._recorder.add(Direction.RECEIVED, Level.PLAIN, result)
                if self._state.get(self._serving) == "open":
                    result = self.vice.understood(result)
                self._request = result
        return result

    def _sealing(self, use: Use, plain: bytes) -> bytes:
        if use is Use.ASSOCIATION:
            return self._initiate_out(plain)
        if use is not Use.PROTECT_RESPONSE:
            return plain
        state = self._state.get(self._serving)
        if state == "pending":
            plain = self.vice.pass_4(plain)
        elif state == "open" and not self._plain:  # not what a vice seals besides
            plain = self.vice.response(plain, self._request)
        self._plain = self._plain or plain
        self._recorder.add(Direction.SENT, Level.PLAIN, plain)
        return plain

    def _is_ours(self, key: KeyRef) -> bool:
        return key.scope.partition("#")[0] == self.association and key.kind in _OURS

    def _keep(self, direction: Direction, parcel: Parcel) -> None:
        key, counter = visible_counter(parcel.octets)
        row = self.device.profile.associations[parcel.association]
        pair = row.config.client_sap, row.config.server_sap
        self._recorder.add(
            direction, Level.APDU, parcel.octets, pair=pair, key=key, counter=counter
        )


_SEVERAL = Conformance.MULTIPLE_REFERENCES | Conformance.ACCESS
_OURS = (KeyKind.GUEK, KeyKind.DEDICATED)
