"""A Device: one emulated SMETS1 meter.

It knows what it is (profile, serial number) and what it remembers (state); time and cryptography
come from outside. :meth:`Device.handle` carries out a request of one association.
"""

from __future__ import annotations

import datetime as dt

from devices import handed_keys
from devices.answering import alerting, names, protection, unasked
from devices.answering.access import access
from devices.answering.asking import Answerable, Asking
from devices.answering.attributes import get, put, value
from devices.answering.methods import act
from devices.happenings import Happening, happened
from devices.life import hands, living
from devices.life.scripts import run_agenda
from devices.meter import Meter
from devices.objects.behaviour import Call
from devices.objects.push_plan import PushPlan
from devices.objects.token_gateway import TokenStatus
from devices.outbox import Announcement
from devices.profile.model import AssociationRow, ObjectRow
from dlms.association.config import AssociationKeys
from dlms.axdr.data import Data
from dlms.security.control import Protection
from dlms.security.keys import KeyRef
from dlms.security.ops import Step
from dlms.xdlms.access import AccessRequest
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestWithList,
    ActionResponse,
    ActionResponseWithList,
    MethodResult,
)
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import SelectiveAccess
from dlms.xdlms.get import GetRequest, GetRequestWithList, GetResponse, GetResponseWithList
from dlms.xdlms.read import ReadRequest
from dlms.xdlms.registry import AnyResponse, Notification
from dlms.xdlms.set import SetRequest, SetRequestWithList, SetResponse, SetResponseWithList
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest

_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)
_new = tuple.__new__  # NamedTuple without its Python-level __new__: twice as fast
_NOTHING = Protection.NONE  # to look a member up in its class takes a tenth of a microsecond


class Device(Meter):
    """A meter that answers, and lives."""

    _due: dt.datetime | None = None

    def start_over(self) -> None:
        super().start_over()
        self._due = None

    def advance(self, now: dt.datetime) -> None:
        """Live on until the true time ``now`` (aware): charges, switches, captures. Time does not
        go back: an earlier ``now`` changes nothing.
        """
        if self._due is None or now >= self._due:
            living.advance(self, now)
            self._due = living.due(self) or _NEVER

    def due(self) -> dt.datetime | None:
        """The true time at which something happens next by itself; ``None`` if nothing does."""
        if self._due is None:
            self._due = living.due(self) or _NEVER
        return None if self._due is _NEVER else self._due

    def power_lost(self, now: dt.datetime) -> None:
        """The mains are gone at the true time ``now``, until :meth:`power_restored`."""
        hands.lose_power(self, now)
        self._due = None

    def power_restored(self, now: dt.datetime) -> None:
        hands.restore_power(self, now)
        self._due = None

    def association_begun(self, row: AssociationRow, used: KeyRef | None) -> None:
        """An AARQ has verified, under the authentication key ``used``."""
        handed_keys.association_begun(self, row, used)

    def fallback(self, row: AssociationRow) -> AssociationKeys | None:
        """The keys for a client that has lost the authentication key that was handed over."""
        return handed_keys.fallback(self, row)

    def refused(self, now: dt.datetime) -> None:
        """Somebody has failed to authenticate, or asked for an association that is not his."""
        happened(self, Happening.AUTHENTICATION_FAILED, now)

    def tampered(self, kind: hands.Tamper, now: dt.datetime) -> None:
        hands.tamper(self, kind, now)
        self._due = None

    def slipped(self, by: dt.timedelta, now: dt.datetime) -> None:
        """Its clock has jumped by so much; it does not know."""
        hands.slip(self, by, now)
        self._due = None

    def pressed(self, what: hands.Press, now: dt.datetime) -> bool:
        """A customer presses a button; false if it does nothing now."""
        done = hands.press(self, what, now)
        self._due = None
        return done

    def keyed_in(self, digits: bytes, now: dt.datetime) -> Step[TokenStatus]:
        """A customer keys in a token. ``LookupError`` if the meter takes none."""
        status = yield from hands.key_in(self, digits, now)
        self._due = None
        return status

    def handle(
        self,
        request: Answerable,
        row: AssociationRow,
        now: dt.datetime,
        protection: Protection = Protection.NONE,
        user: int | None = None,
    ) -> Step[AnyResponse | None]:
        """Carry out ``request`` at the true time ``now`` (aware) and give the response; ``None``
        where the service has none.

        ``protection`` is what the request came with: access rights may ask for some. ``user`` is
        who is behind the client, where users are identified. The items of a list are carried out in
        their order, each whatever becomes of the others (GB Ed. 8, 9.3.6 to 9.3.9).
        """
        asking = _new(Asking, (self, row, now, protection, user))
        if isinstance(request, GetRequest):  # nearly all are; to match takes longer
            invoke, attribute, selection = request
            return _new(GetResponse, (invoke, get(asking, attribute, selection)))
        if living.is_born(self):
            self.advance(now)
        clock = self.state.clock_offset
        try:
            return (yield from self._carry_out(asking, request))
        finally:
            # Whatever was changed may have changed what is due, or called for a script.
            self._due = None
            if self.agenda:
                run_agenda(self, now)
            if self.state.changes.any:
                living.changed(self, now, clock)

    def _carry_out(self, asking: Asking, request: Answerable) -> Step[AnyResponse | None]:
        match request:
            case SetRequest(invoke, attribute, new, selection):
                return SetResponse(invoke, put(asking, attribute, selection, new))
            case ActionRequest(invoke, method, parameter):
                outcome = yield from act(asking, method, parameter)
                return ActionResponse(invoke, outcome.result, outcome.returned)
            case GetRequestWithList(invoke, items):
                return GetResponseWithList(invoke, tuple(get(asking, *item) for item in items))
            case SetRequestWithList(invoke, items, values):
                return SetResponseWithList(
                    invoke,
                    tuple(put(asking, *item, new) for item, new in zip(items, values, strict=True)),
                )
            case ActionRequestWithList(invoke, methods, parameters):
                results = []
                for method, parameter in zip(methods, parameters, strict=True):
                    outcome = yield from act(asking, method, parameter)
                    results.append(MethodResult(outcome.result, outcome.returned))
                return ActionResponseWithList(invoke, tuple(results))
            case AccessRequest():
                return (yield from access(asking, request))
            case ReadRequest():
                return (yield from names.read(asking, request))
            case WriteRequest():
                return (yield from names.write(asking, request))
            case UnconfirmedWriteRequest():
                yield from names.write(asking, request)
                return None
        raise AssertionError(f"{type(request).__name__} is no request")

    def response_protection(self, request: Answerable, row: AssociationRow) -> Protection:
        """The least protection that the access rights promise for the response to ``request``."""
        if row.name not in self.profile.promising:
            return _NOTHING  # as for most, and this is asked for on every request
        moment = dt.datetime.min  # rights do not depend on the time
        return protection.of_response(Asking(self, row, moment), request)

    def attribute(
        self,
        row: ObjectRow,
        number: int,
        association: AssociationRow,
        now: dt.datetime,
        selection: SelectiveAccess | None = None,
    ) -> Data | DataAccessResult:
        return value(Call(self, row, association, now), number, selection)

    def alert_plan(self) -> PushPlan | None:
        """How alerts go out now; ``None`` if they do not."""
        return alerting.plan(self)

    def alert(self, number: int, plan: PushPlan) -> DataNotification | None:
        """What tells the alert of that running number; ``None`` if nothing may."""
        return alerting.notification(self, number, plan)

    def alert_taken(self, number: int, plan: PushPlan, now: dt.datetime) -> None:
        """Somebody has the alert of that running number: forget it."""
        alerting.taken(self, number, plan, now)

    def announced(
        self, what: Announcement, row: AssociationRow, now: dt.datetime
    ) -> Notification | None:
        """How an association is told what nobody has asked for; ``None`` if that is not for it."""
        return unasked.announced(Asking(self, row, now), what)
