"""An optical port: the mode E opening of IEC 62056-21, then HDLC."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from dlms.errors import RemoteProtocolError
from dlms.framing.hdlc.primary import PrimaryConfig
from dlms.framing.hdlc.station import StationConfig
from dlms.framing.mode_e import (
    INITIAL,
    Failed,
    Identification,
    LineSettings,
    ModeEClient,
    ModeEMeter,
    Outcome,
    Switched,
)
from emulator.framing.framing import Addressed, Indication, LinkLost
from emulator.framing.hdlc import HdlcClient, HdlcStation


class OpticalStation:
    """The meter's end: after the end of a link it waits for a sign-on again."""

    def __init__(
        self,
        identification: Identification,
        config: StationConfig,
        on_settings: Callable[[LineSettings], None] = lambda settings: None,
    ) -> None:
        self._identification = identification
        self._config = config
        self._on_settings = on_settings
        self._opening: ModeEMeter | None = ModeEMeter(identification)
        self._station = HdlcStation(config)
        self._switched: Switched | None = None
        self._ended = False

    def receive(self, octets: bytes, now: float) -> None:
        if self._opening is None:
            self._station.receive(octets, now)
            return
        self._switched = self._opening.receive(octets, now) or self._switched

    def next_indication(self) -> Indication | None:
        indication = self._station.next_indication()
        self._ended = self._ended or isinstance(indication, LinkLost)
        return indication

    def send(self, addressed: Addressed, now: float) -> None:
        self._station.send(addressed, now)

    def takes_unsolicited(self, client_sap: int, server_sap: int) -> bool:
        """Whether an APDU more may wait for this client's next poll."""
        return self._station.takes_unsolicited(client_sap, server_sap)

    def tell(self, addressed: Addressed) -> None:
        """Keep an APDU that nobody has asked for until the client polls."""
        self._station.tell(addressed)

    def octets_to_send(self) -> bytes:
        octets = self._station.octets_to_send()
        if self._ended:
            self._ended = False
            if not self._station.links:
                self._opening = ModeEMeter(self._identification)
        if self._opening is not None:
            octets += self._opening.octets_to_send()
        if self._switched is not None:
            self._opening = None
            self._on_settings(self._switched.settings)
            self._switched = None
        return octets

    def deadline(self) -> float | None:
        return self._station.deadline() if self._opening is None else self._opening.deadline()

    def timeout(self, now: float) -> None:
        if self._opening is None:
            self._station.timeout(now)
        else:
            self._opening.timeout(now)


class OpticalClient:
    """The client's end: the opening begins with the first APDU that is to be sent, and anew with
    the first after the last link has ended.
    """

    def __init__(
        self,
        link: Callable[[int, int], PrimaryConfig],
        on_settings: Callable[[LineSettings], None] = lambda settings: None,
        address: str = "",
        baud: int = 115200,
    ) -> None:
        self._address = address
        self._baud = baud
        self._opening: ModeEClient | None = ModeEClient(address, baud)
        self._client = HdlcClient(link)
        self._on_settings = on_settings
        self._waiting: deque[Addressed] = deque()
        self._leaving: set[tuple[int, int]] = set()
        self._begun = False

    def receive(self, octets: bytes, now: float) -> None:
        if self._opening is None:
            self._client.receive(octets, now)
        else:
            self._judge(self._opening.receive(octets, now), now)

    def next_indication(self) -> Indication | None:
        indication = self._client.next_indication()
        if isinstance(indication, LinkLost) and not self._client.links:
            self._opening = ModeEClient(self._address, self._baud)
            self._begun = False
            self._on_settings(INITIAL)
        return indication

    def send(self, addressed: Addressed, now: float) -> None:
        if self._opening is None:
            self._client.send(addressed, now)
            return
        self._waiting.append(addressed)
        if not self._begun:
            self._begun = True
            self._opening.open(now)

    def disconnect(
        self, client_sap: int, server_sap: int, now: float, *, settle: bool = False
    ) -> bool:
        """End a link with DISC: whether there is one. A :class:`LinkLost` says when it is over.

        With ``settle`` the opening, too, comes to its end first.
        """
        pair = client_sap, server_sap
        if settle and any(waiting[:2] == pair for waiting in self._waiting):
            self._leaving.add(pair)
            return True
        return self._client.disconnect(client_sap, server_sap, now, settle=settle)

    def listen(self, client_sap: int, server_sap: int, now: float) -> None:
        """Poll the meter, again and again, whenever its link is at rest."""
        self._client.listen(client_sap, server_sap, now)

    def rest(self, client_sap: int, server_sap: int) -> None:
        """Poll no more."""
        self._client.rest(client_sap, server_sap)

    def octets_to_send(self) -> bytes:
        if self._opening is not None:
            return self._opening.octets_to_send()
        return self._client.octets_to_send()

    def deadline(self) -> float | None:
        return self._client.deadline() if self._opening is None else self._opening.deadline()

    def timeout(self, now: float) -> None:
        if self._opening is None:
            self._client.timeout(now)
        else:
            self._judge(self._opening.timeout(now), now)

    def _judge(self, outcome: Outcome | None, now: float) -> None:
        if isinstance(outcome, Failed):
            raise RemoteProtocolError(outcome.why, reason="mode-e")
        if outcome is None:
            return
        self._opening = None
        self._on_settings(outcome.settings)
        while self._waiting:
            self._client.send(self._waiting.popleft(), now)
        while self._leaving:
            self._client.disconnect(*self._leaving.pop(), now, settle=True)
