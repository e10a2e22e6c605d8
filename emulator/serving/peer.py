"""One peer of a meter, however its octets come: its associations, and APDUs in and out.

Anything a peer sends ends in replies, in silence or in :class:`Unable`, never in another exception;
other peers do not notice.
"""

from __future__ import annotations

import itertools

from devices.outbox import Announcement
from devices.profile.model import AssociationRow
from dlms.association import events
from dlms.association.server import ServerAssociation
from dlms.association.state import State
from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.security.drive import run
from dlms.security.ops import CryptoFailure
from emulator.events import MeterEvent
from emulator.serving.exchange import Exchanged, exchange
from emulator.serving.host import Host
from emulator.serving.taps import Parcel, Place
from emulator.serving.telling import can_tell, tell
from emulator.trace import described, shown

_labels = itertools.count()

_UNOPENED = (State.IDLE, State.PRE_ESTABLISHED)


class Unable(Exception):
    """The meter's own side cannot go on, say because a key is used up: hang up without an answer,
    which is better than a wrong one.
    """


class Peer:
    """At most one association per declared pair of SAPs.

    ``address`` is for people, ``title`` the system title that the secure channel vouches for.
    ``ordered``: what it sends arrives in order. ``most``: octets of an APDU on the way to it, 0
    for any number.
    """

    def __init__(
        self,
        host: Host,
        address: str,
        title: bytes | None = None,
        *,
        ordered: bool = True,
        most: int = 0,
    ) -> None:
        self._host = host
        self._address = address
        self._title = title
        self._ordered, self._most = ordered, most
        self._open: dict[tuple[int, int], tuple[ServerAssociation, AssociationRow]] = {}
        self._revision = host.device.state.security_revision
        self._label = next(_labels)
        if host.makes.are_touched:
            host.makes.fit_peer(self)

    def serve(self, client_sap: int, server_sap: int, apdu: bytes) -> tuple[bytes, ...] | None:
        """Take one APDU; give the replies to send back to ``client_sap``.

        ``None`` if no association is offered to this pair of SAPs: silence (X_WPDU_PORT_UNK), and
        the peer does not count as having been heard. :class:`Unable` if there can be no answer.
        """
        makes = self._host.makes
        if makes.are_touched:
            makes.fit_peer(self)
        found = self._find(client_sap, server_sap)
        if found is None:
            self.report("unknown-sap", text=f"SAP {client_sap} to {server_sap}")
            return None
        if makes.are_touched:
            makes.fit_association(found[0])
        if self._host.taps.on_apdus:
            return self._serve_through(found, apdu)
        return self._serve(found, apdu)

    def _serve_through(
        self, found: tuple[ServerAssociation, AssociationRow], apdu: bytes
    ) -> tuple[bytes, ...]:
        """With something in the way of APDUs."""
        row = found[1]
        arrived = Parcel(apdu, self._address, row.name)
        replies: list[bytes] = []
        for parcel in self._host.taps.through(Place.APDU_IN, arrived):
            said = self._serve(found, parcel.octets) if parcel.answer is None else (parcel.answer,)
            replies += self._out(row, said)
        return tuple(replies)

    def _out(self, row: AssociationRow, apdus: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """What becomes of APDUs on their way out."""
        taps = self._host.taps
        if not taps.on_apdus:
            return apdus
        said = (Parcel(apdu, self._address, row.name) for apdu in apdus)
        return tuple(after.octets for one in said for after in taps.through(Place.APDU_OUT, one))

    def _serve(
        self, found: tuple[ServerAssociation, AssociationRow], apdu: bytes
    ) -> tuple[bytes, ...]:
        self._adopt()
        association, row = found
        host, trace = self._host, self._host.trace
        if trace:
            self._trace(row, "<-", apdu)
        try:
            try:
                instead = host.taps.answers
                step = exchange(association, host.device, row, apdu, host.awake(), instead)
                exchanged = run(step, host.execute)
                self._notice(exchanged)
            finally:
                # Before a reply leaves: what it says must be true after any end of the process.
                host.memory.commit()
                host.tell_happenings()
                host.look_again()
        except RemoteProtocolError as error:
            self.report(error.reason, row, str(error))
            replies = association.carry(error.reply)
        except (LocalProtocolError, CryptoFailure) as error:
            self.report("unable", row, str(error))
            raise Unable(str(error)) from error
        else:
            self._tell(row, exchanged)
            replies = exchanged.replies
        if trace:
            for reply in replies:
                self._trace(row, "->", reply)
        return replies

    @property
    def is_idle(self) -> bool:
        """Whether it has no association: nothing is lost if it is forgotten."""
        return all(association.admitted is None for association, _ in self._open.values())

    def associated(self) -> tuple[tuple[int, int], ...]:
        """The pairs of SAPs between which something can be said unasked."""
        return tuple(pair for pair, (open_, _) in self._open.items() if can_tell(open_))

    def tell(self, pair: tuple[int, int], what: Announcement) -> tuple[bytes, ...]:
        """What to send to the client of one of :meth:`associated`; nothing if it is not told.
        :class:`Unable` as in :meth:`serve`.
        """
        self._adopt()
        association, row = self._open[pair]
        notification = self._host.device.announced(what, row, self._host.awake())
        if notification is None:
            return ()
        try:
            told = run(tell(association, (notification,)), self._host.execute)
            self._host.memory.commit()
        except (LocalProtocolError, CryptoFailure) as error:
            self.report("unable", row, str(error))
            raise Unable(str(error)) from error
        for why in told.untold:
            self.report("not-told", row, why)
        for apdu in told.apdus:
            self._trace(row, "->", apdu)
        return self._out(row, told.apdus)

    def close(self) -> None:
        """The lower layer is gone, and with it every association (R-AA-8)."""
        for association, _ in self._open.values():
            run(association.close(), self._host.execute)
        self._open.clear()

    def close_pair(self, client_sap: int, server_sap: int) -> None:
        """The link between two addresses is gone, and with it their association."""
        found = self._open.pop((client_sap, server_sap), None)
        if found is not None:
            run(found[0].close(), self._host.execute)

    def _find(
        self, client_sap: int, server_sap: int
    ) -> tuple[ServerAssociation, AssociationRow] | None:
        pair = client_sap, server_sap
        found = self._open.get(pair)
        if found is None:
            device = self._host.device
            row = device.association(*pair)
            if row is None:
                return None
            offer = device.offer(row, self._title)
            server = ServerAssociation(
                offer, f"{self._label}", ordered=self._ordered, most=self._most
            )
            found = server, row
            self._open[pair] = found
        return found

    def _adopt(self) -> None:
        """Let open associations follow a change of keys or policy made by an earlier APDU.

        Here, before the next APDU, because the response to the change went under the old keys
        (R-KEY-3), and because another connection may have made it.
        """
        device = self._host.device
        if self._revision == device.state.security_revision:
            return
        self._revision = device.state.security_revision
        for association, row in self._open.values():
            spent = device.state.spent[row.name]
            association.adopt(device.config(row), device.keys(row), spent)

    # Reporting ------------------------------------------------------------------------------------

    def _notice(self, exchanged: Exchanged) -> None:
        """What concerns the meter's security goes into its logs."""
        if isinstance(exchanged.event, events.AssociationRefused | events.AuthenticationFailed):
            self._host.device.refused(self._host.now())

    def _tell(self, row: AssociationRow, exchanged: Exchanged) -> None:
        for why in exchanged.untold:
            self.report("not-told", row, why)
        event = exchanged.event
        if isinstance(event, events.RequestReceived):  # nearly all are
            if self._host.trace:
                self.report("request", row, repr(event.request))
                if exchanged.response is not None:
                    self.report("response", row, repr(exchanged.response))
            return
        match event:
            case events.AssociationOpened():
                self.report("associated", row)
            case events.AssociationRefused(why=why) | events.AuthenticationFailed(why=why):
                self.report("association-refused", row, why)
            case events.NotificationConfirmed(confirmation):
                self.report("confirmed", row, f"notification {confirmation.long_invoke:08X}")
            case events.AssociationReleased():
                self.report("released", row)

    def _trace(self, row: AssociationRow, arrow: str, apdu: bytes) -> None:
        self.report(arrow, row, f"{shown(apdu)}  {described(apdu)}")

    def report(self, kind: str, row: AssociationRow | None = None, text: str = "") -> None:
        """Tell whoever watches the meter."""
        self._host.on_event(
            MeterEvent(
                meter=self._host.device.profile.name,
                kind=kind,
                peer=self._address,
                association="" if row is None else row.name,
                text=text,
            )
        )
