"""Associations that begin too early, or do not end."""

from __future__ import annotations

from typing import Any

from devices.profile.model import AssociationRow
from dlms.association import authenticating
from dlms.association.config import PASS_3
from dlms.association.events import AssociationOpened, AuthenticationFailed, Event
from dlms.association.incoming import Incoming
from dlms.association.offer import Admitted
from dlms.association.server import ServerAssociation
from dlms.association.services import Services
from dlms.association.shapes import respond
from dlms.association.state import Input, State, after
from dlms.security.control import Protection
from dlms.security.ops import CryptoFailure, CryptoOp, Step, VerificationFailed
from dlms.security.protect import SecurityContext
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.registry import AnyResponse
from emulator.faults.bent.reaching import concerns
from emulator.faults.fault import Fault
from emulator.serving.makes import bend
from emulator.serving.peer import Peer
from emulator.serving.workings import Execute

_MOST_PENDING = 6
"""Openings that such a meter has room for."""


def _put(fault: Fault, bent: type[ServerAssociation]) -> None:
    fault.at_end(fault.reach.mains.host.makes.put_over_associations(bent))


def _scope(association: ServerAssociation) -> str:
    """The name of the association that has the keys."""
    guek = association._offer.keys.guek
    return "" if guek is None else guek.scope


def answer_under_new_keys(fault: Fault) -> None:
    """New keys are in force before the answer to their transfer is made (R-KEY-3)."""
    host = fault.reach.mains.host

    class Bent(ServerAssociation):
        def send(
            self, response: AnyResponse, required: Protection = Protection.NONE
        ) -> Step[bytes]:
            scope = _scope(self)
            if scope and concerns(fault, scope):
                row = host.device.profile.associations[scope]
                self.adopt(host.device.config(row), host.device.keys(row))
                fault.has_acted("the answer goes under the keys that are new by now")
            return (yield from super().send(response, required))

    _put(fault, Bent)


def before_pass_3(fault: Fault) -> None:
    """Services are carried out while pass 3 is awaited (R-HLS-2, I7)."""

    class Bent(ServerAssociation):
        def _receive_pass_3(self, taken: Incoming, services: Services) -> Step[Event]:
            if authenticating.is_pass_3(taken.request) or not concerns(fault, _scope(self)):
                return (yield from super()._receive_pass_3(taken, services))
            fault.has_acted("a service is carried out before pass 3")
            # The state machine would not let the answer pass.
            self.state = State.ASSOCIATED
            return (yield from services.serve(taken))

    _put(fault, Bent)


def pass_3_again(fault: Fault) -> None:
    """Whoever has failed may try f(StoC) again in the same association (R-HLS-5)."""

    class Bent(ServerAssociation):
        def _receive_pass_3(self, taken: Incoming, services: Services) -> Step[Event]:
            known = authenticating.is_pass_3(taken.request)
            if not taken.confirmed or not known or not concerns(fault, _scope(self)):
                return (yield from super()._receive_pass_3(taken, services))
            aa = services.aa
            judged = yield from authenticating.judge_pass_3(taken, aa, self._offer)
            reply = yield from respond(
                judged.response.encode(), taken.shape, aa.general, self.config
            )
            if judged.failure:
                fault.has_acted("pass 3 has failed, and is awaited still")
                return AuthenticationFailed(reply, judged.failure)
            self.state = after(after(self.state, Input.HLS_PASS_3), Input.HLS_PASS_4)
            services.aa = aa._replace(client_challenge=b"", server_challenge=b"")
            return AssociationOpened(reply, aa.conformance)

    _put(fault, Bent)


def any_action(fault: Fault) -> None:
    """Any ACTION that brings f(StoC) is pass 3, whatever object and method it names (R-HLS-1)."""

    class Bent(ServerAssociation):
        def _receive_pass_3(self, taken: Incoming, services: Services) -> Step[Event]:
            request = taken.request
            if isinstance(request, ActionRequest) and concerns(fault, _scope(self)):
                if request.method != PASS_3:
                    fault.has_acted("another method is taken for pass 3")
                taken = taken._replace(request=request._replace(method=PASS_3))
            return (yield from super()._receive_pass_3(taken, services))

    _put(fault, Bent)


def half_open(fault: Fault) -> None:
    """The client counts as authenticated before f(StoC) is verified. That is taken back if it is
    wrong, and not if the module fails (R-HLS-5).
    """
    has_failed = False

    def detour(op: CryptoOp, execute: Execute) -> Any:
        nonlocal has_failed
        try:
            return execute(op)
        except CryptoFailure as error:
            has_failed = not isinstance(error, VerificationFailed)
            raise

    class Bent(ServerAssociation):
        def _receive_pass_3(self, taken: Incoming, services: Services) -> Step[Event]:
            nonlocal has_failed
            has_failed = False
            event = yield from super()._receive_pass_3(taken, services)
            failed = isinstance(event, AuthenticationFailed) and has_failed
            if failed and concerns(fault, _scope(self)):
                fault.has_acted("an association is left open by a failure of the module")
                self.state = State.ASSOCIATED
                self._begin(services.aa)
            return event

    _put(fault, Bent)
    fault.detour(detour)


def outlives_release(fault: Fault) -> None:
    """An association that was released is not forgotten (R-AA-8)."""

    class Bent(ServerAssociation):
        def _forget(self) -> Step[None]:
            if self.state is not State.IDLE or not concerns(fault, _scope(self)):
                yield from super()._forget()
            else:
                fault.has_acted("what was agreed on stays")

    _put(fault, Bent)


def never_freed(fault: Fault) -> None:
    """An opening that is not carried through keeps its place in a small table for ever (I6)."""
    begun: list[ServerAssociation] = []

    class Bent(ServerAssociation):
        def _receive_aarq(self, apdu: bytes, now: Any, busy: bool) -> Step[Event]:
            if not concerns(fault, _scope(self)):
                return (yield from super()._receive_aarq(apdu, now, busy))
            full = len(begun) >= _MOST_PENDING
            if full:
                fault.has_acted("there is no room for another opening")
            event = yield from super()._receive_aarq(apdu, now, busy or full)
            if self.state is State.AUTHENTICATING:
                begun.append(self)
            return event

        def _receive_pass_3(self, taken: Incoming, services: Services) -> Step[Event]:
            event = yield from super()._receive_pass_3(taken, services)
            if self.state is State.ASSOCIATED and self in begun:
                begun.remove(self)
            return event

    _put(fault, Bent)


def outlives_connection(fault: Fault) -> None:
    """An association belongs to the two addresses, and not to the connection: whoever comes next
    finds it (R-AA-8).
    """
    left: dict[tuple[int, int], tuple[ServerAssociation, AssociationRow]] = {}

    class Bent(Peer):
        def close(self) -> None:
            for pair, found in tuple(self._open.items()):
                if found[0].state is State.ASSOCIATED and concerns(fault, found[1].name):
                    left[pair] = self._open.pop(pair)
                    fault.has_acted("an association outlives its connection")
            super().close()

        def _find(
            self, client_sap: int, server_sap: int
        ) -> tuple[ServerAssociation, AssociationRow] | None:
            found = left.pop((client_sap, server_sap), None)
            if found is not None and (client_sap, server_sap) not in self._open:
                self._open[client_sap, server_sap] = found
            return super()._find(client_sap, server_sap)

    fault.at_end(fault.reach.mains.host.makes.put_over_peers(Bent))


def _over_contexts(fault: Fault, bent: type[SecurityContext]) -> None:
    class Bent(ServerAssociation):
        def _begin(self, admitted: Admitted) -> None:
            if admitted.security is not None and concerns(fault, _scope(self)):
                bend(admitted.security, bent)
            super()._begin(admitted)

    _put(fault, Bent)


def any_title(fault: Fault) -> None:
    """The title that a message announces is not looked at (R-AA-6, KL-PR-11)."""

    class Bent(SecurityContext):
        __slots__ = ()

        def originator(self, announced: bytes | None) -> bytes:
            if announced and announced != self.peer_title and not fault.is_over:
                fault.has_acted("a message with the title of another is taken")
                announced = self.peer_title
            return super().originator(announced)

    _over_contexts(fault, Bent)


def any_content(fault: Fault) -> None:
    """What is inside need not be what the tag outside says (R-PROT-3)."""

    class Bent(SecurityContext):
        __slots__ = ()

        def other_content(self, found: int, promised: int) -> None:
            if fault.is_over:
                super().other_content(found, promised)
            fault.has_acted(f"APDU {found:02X} is taken where {promised:02X} was promised")

    _over_contexts(fault, Bent)


HOW = {
    "answer-under-new-keys": answer_under_new_keys,
    "before-pass-3": before_pass_3,
    "pass-3-again": pass_3_again,
    "any-action": any_action,
    "half-open": half_open,
    "outlives-release": outlives_release,
    "outlives-connection": outlives_connection,
    "never-freed": never_freed,
    "any-title": any_title,
    "any-content": any_content,
}
