"""A meter that does other mischief at each exchange, and takes down what a head end makes of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from devices.answering.asking import Answerable
from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.errors import DlmsError
from dlms.security.ops import CryptoOp, Mac, Open
from dlms.xdlms import registry
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from dlms.xdlms.registry import AnyResponse
from emulator.conformance.hostile.rows import VICES, made
from emulator.conformance.hostile.stage import Stage
from emulator.conformance.hostile.vice import Reply, Vice
from emulator.fuzz.head_ends.mischief import KINDS, OWN, Bound, Errand
from emulator.fuzz.in_process.keys_held import held
from emulator.serving.taps import Parcel
from emulator.serving.workings import Execute

FIRST, BEHIND = 5000, 1000
"""The meter's first counter under a key, and by how many messages a lower one is behind: none of
those was used before.
"""


class Script(Vice):
    """``reboot`` has the meter lose its power. What a vice keeps in mind begins anew with each
    errand.
    """

    def __init__(self, stage: Stage, reboot: Callable[[], None]) -> None:
        super().__init__(stage, {})
        self._reboot = reboot
        self._base = 0
        self._plan: dict[int, tuple[str, ...]] = {}
        self._vices: Mapping[str, Vice] = {}
        self._exchange = -1
        self._acts = 0
        self._is_dark = False
        self._resume_at = 0
        self._lower = FIRST - BEHIND
        self._earlier: list[bytes] = []
        self.clean: set[AttributeDescriptor] = set()
        """What has been answered in this errand as it should be, to who could believe it."""
        self.spoilt: set[str] = set()
        """Connections whose association a head end had to end."""
        self.went_on: list[str] = []
        """What it did there all the same."""
        self.vectors: dict[bytes, bytes] = {}
        """Of the head end's, and what each was used for."""
        self.twice: list[str] = []
        self.keys: dict[tuple[str, bytes], None] = {}
        """The meter's, of all errands, each once: names and octets."""

    def begin(self, errand: Errand) -> None:
        guek = self.stage.guek
        if guek is not None:  # it may be another than in the errand before
            self.stage.device.state.counters.raise_to(guek, FIRST)
        self._base = len(self.stage.watch.asked)
        plan: dict[int, tuple[str, ...]] = {}
        for one in errand.mischiefs:
            plan[one.at] = (*plan.get(one.at, ()), one.kind)
        self._plan = plan
        kinds = {one.kind for one in errand.mischiefs} - OWN.keys()
        self._vices = {kind: made(VICES[kind], self.stage) for kind in kinds}
        self._exchange = -1
        self.clean, self.went_on = set(), []
        self.look_at_keys()

    def look_at_keys(self) -> None:
        """Keys go with their association or their version, and what they sealed stays."""
        of_it = frozenset({self.stage.association})
        self.keys.update(dict.fromkeys(held(self.stage.ring, of_it)))

    # What is on now -------------------------------------------------------------------------------

    def _now(self) -> tuple[str, ...]:
        number = len(self.stage.watch.asked) - self._base
        if number != self._exchange:
            self._exchange, self._acts = number, self.stage.watch.acts
            if number > 0:
                self._look_at_request()
                self.look_at_keys()
        return self._plan.get(number, ())

    def _is(self, kind: str) -> bool:
        return kind in self._now()

    def _acting(self) -> list[Vice]:
        return [self._vices[kind] for kind in self._now() if kind in self._vices]

    @property
    def _peer(self) -> str:
        return self.stage.watch.asked[-1].peer if self.stage.watch.asked else ""

    def _look_at_request(self) -> None:
        asked = self.stage.watch.asked[-1]
        if asked.peer in self.spoilt and asked.is_service:
            self.went_on.append(f"it asks for a service (tag {asked.tag:02X})")

    def _has_acted(self) -> bool:
        return self.stage.watch.acts > self._acts

    def _spoil(self) -> None:
        """After what must end an association, if that was done now."""
        ends = any(KINDS[kind] is Bound.ENDS for kind in self._now())
        if ends and self._has_acted():
            self.spoilt.add(self._peer)

    # In -------------------------------------------------------------------------------------------

    def aarq(self, aarq: Aarq) -> Aarq:
        self.spoilt.discard(self._peer)
        for vice in self._acting():
            aarq = vice.aarq(aarq)
        return aarq

    def initiate_request(self, initiate: InitiateRequest) -> InitiateRequest:
        for vice in self._acting():
            initiate = vice.initiate_request(initiate)
        return initiate

    def request(self, parcel: Parcel) -> Iterable[Parcel]:
        for kind in ("lost-request", "power"):
            if self._is(kind):
                self.stage.acts(OWN[kind])
                if kind == "power":
                    self._fail()
                return ()
        if self._is("lower-counter"):
            self._go_back()
        parcels: list[Parcel] = [parcel]
        for vice in self._acting():
            parcels = [after for before in parcels for after in vice.request(before)]
        for one in parcels:
            if one.answer is not None:
                self._earlier.append(one.answer)
        return parcels

    def _go_back(self) -> None:
        """The meter seals the next with a counter that is lower, and was never used."""
        guek, counters = self.stage.guek, self.stage.device.state.counters
        if guek is None or counters.next_to_send(guek) < FIRST:
            return
        self.stage.acts(OWN["lower-counter"])
        self._resume_at, floor = counters.next_to_send(guek), counters.floor(guek)
        self._lower += 1
        counters.establish(guek)
        counters.raise_to(guek, self._lower)
        if floor:
            counters.accept(guek, floor - 1)

    def _go_on(self) -> None:
        guek = self.stage.guek
        if self._resume_at and guek is not None:
            self.stage.device.state.counters.raise_to(guek, self._resume_at)
        self._resume_at = 0

    def _fail(self) -> None:
        """The power fails; it is back when all this has been dealt with."""
        self._is_dark = True

        def back() -> None:
            self._reboot()
            self._is_dark = False

        asyncio.get_running_loop().call_soon(back)

    def understood(self, plain: bytes) -> bytes:
        for vice in self._acting():
            plain = vice.understood(plain)
        return plain

    def answer(self, request: Answerable) -> AnyResponse | None:
        for vice in self._acting():
            response = vice.answer(request)
            if response is not None:
                return response
        return None

    # Out ------------------------------------------------------------------------------------------

    def aare(self, aare: Aare) -> Aare:
        for vice in self._acting():
            aare = vice.aare(aare)
        self._spoil()
        return aare

    def initiate_response(self, initiate: InitiateResponse) -> InitiateResponse:
        for vice in self._acting():
            initiate = vice.initiate_response(initiate)
        self._spoil()
        return initiate

    def pass_4(self, plain: bytes) -> bytes:
        for vice in self._acting():
            plain = vice.pass_4(plain)
        self._spoil()
        return plain

    def response(self, plain: bytes, request: bytes) -> bytes:
        for vice in self._acting():
            plain = vice.response(plain, request)
        return plain

    def reply(self, reply: Reply) -> Iterable[bytes]:
        self._go_on()
        replies = [reply.octets]
        for vice in self._acting():
            replies = [after for one in replies for after in vice.reply(reply._replace(octets=one))]
        if self._is("replayed") and self._earlier:
            self.stage.acts(OWN["replayed"])
            replies = [self.stage.rng.choice(self._earlier)]
        if self._is("garbled"):
            self.stage.acts(OWN["garbled"])
            replies = [self._garbled(one) for one in replies]
        self._earlier.append(reply.octets)
        self._note(reply)
        return replies

    def octets(self, parcel: Parcel) -> Iterable[Parcel]:
        if self._is_dark:
            return ()
        # Once: who asks as another client meanwhile is still at this exchange.
        if self._is("lost-answer") and not self._has_acted():
            self.stage.acts(OWN["lost-answer"])
            return ()
        if self._is("power") and not self._has_acted():
            self.stage.acts(OWN["power"])
            self._fail()
            return ()
        parcels: list[Parcel] = [parcel]
        for vice in self._acting():
            parcels = [after for before in parcels for after in vice.octets(before)]
        return parcels

    def _garbled(self, octets: bytes) -> bytes:
        at = self.stage.rng.randrange(len(octets))
        turned = octets[at] ^ (1 + self.stage.rng.randrange(255))
        return octets[:at] + bytes((turned,)) + octets[at + 1 :]

    def _note(self, reply: Reply) -> None:
        """Whether what was asked for has been answered so that it may be believed."""
        refused = any(KINDS[kind] is Bound.REFUSED for kind in self._now()) and self._has_acted()
        if refused or self._is("lost-answer") or self._peer in self.spoilt:
            return
        try:
            request = registry.decode(reply.request)
        except DlmsError:
            return
        if isinstance(request, GetRequest):
            self.clean.add(request.attribute)

    # Within ---------------------------------------------------------------------------------------

    def compute(self, op: CryptoOp, execute: Execute) -> Any:
        """What the head end has sealed is looked at."""
        for vice in self._acting():
            if type(vice).compute is not Vice.compute:
                return vice.compute(op, execute)
        result = execute(op)
        if isinstance(op, Open | Mac) and op.title == self.stage.title:
            self._look_at_vector(op)
        return result

    def _look_at_vector(self, op: Open | Mac) -> None:
        """What verifies was sealed by the head end, with this vector (I1)."""
        content = op.body if isinstance(op, Open) else op.message
        kind = b"seal" if isinstance(op, Open) else b"mac"
        mark = hashlib.sha256(f"{op.ek}".encode() + op.counter.to_bytes(4, "big")).digest()
        what = hashlib.sha256(kind + bytes((op.control,)) + content).digest()
        if self.vectors.setdefault(mark, what) != what:
            self.twice.append(f"the counter {op.counter} under {op.ek.kind.name}")
