"""What stands between the octets of a connection and APDUs with their addresses."""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable


class Addressed(NamedTuple):
    """An APDU between a client and a logical device, whichever way it goes."""

    client_sap: int
    server_sap: int
    apdu: bytes


class LinkLost(NamedTuple):
    """The link between two addresses is gone, while the connection stays; so is what it carried."""

    client_sap: int
    server_sap: int
    why: str


Indication: TypeAlias = Addressed | LinkLost


class Framing(Protocol):
    """One end of a connection. Sans-IO; times are seconds of any steady clock.

    :meth:`receive` and :meth:`next_indication` raise :class:`~dlms.errors.RemoteProtocolError`
    where the stream has lost its framing for good: the connection is to be closed.
    """

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the connection."""
        ...

    def next_indication(self) -> Indication | None:
        """What came of them, one at a time; ``None`` until more octets come."""
        ...

    def send(self, addressed: Addressed, now: float) -> None:
        """Frame an APDU for the peer."""
        ...

    def octets_to_send(self) -> bytes:
        """What is to be written to the connection now; empty if there is nothing."""
        ...

    def deadline(self) -> float | None:
        """When :meth:`timeout` is to be called, if nothing comes before."""
        ...

    def timeout(self, now: float) -> None:
        """The deadline has passed."""
        ...


@runtime_checkable
class Linked(Protocol):
    """A framing with links between addresses, which end before the connection does."""

    def disconnect(
        self, client_sap: int, server_sap: int, now: float, *, settle: bool = False
    ) -> bool:
        """End a link: whether there is one. A :class:`LinkLost` says when it is over.

        With ``settle`` what nobody answers arrives first: it may wait for the link to be made.
        """
        ...


@runtime_checkable
class Polled(Protocol):
    """A meter's framing in which it speaks when it is polled: what nobody has asked for waits."""

    def takes_unsolicited(self, client_sap: int, server_sap: int) -> bool:
        """Whether an APDU more may wait for this client."""
        ...

    def tell(self, addressed: Addressed) -> None:
        """Keep an APDU for the next poll."""
        ...


@runtime_checkable
class Polling(Protocol):
    """A client's framing in which the meter speaks only when it is polled."""

    def listen(self, client_sap: int, server_sap: int, now: float) -> None:
        """Poll the meter, again and again, whenever its link is at rest."""
        ...

    def rest(self, client_sap: int, server_sap: int) -> None:
        """Poll no more."""
        ...
