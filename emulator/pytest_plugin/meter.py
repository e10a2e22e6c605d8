"""One meter as a test sees it: where it is, its keys, and what has become of it."""

from __future__ import annotations

import ssl
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from devices.alert_codes import Happening
from devices.device import Device
from devices.profile import Profile
from devices.profile.model import AssociationRow
from dlms.acse.names import Mechanism, Referencing
from dlms.security.keys import KeyKind
from emulator.client import Keys
from emulator.client.options import Options
from emulator.control.actions.status import status_of
from emulator.events import MeterEvent
from emulator.head_end.party import client_titles
from emulator.key_suites import suites_of
from emulator.meter_address import MeterAddress
from emulator.modules.keyring import KeyRing
from emulator.provisioning import client_keys, client_title
from emulator.pytest_plugin.in_loop import InLoop, T
from emulator.pytest_plugin.log import Apdu, Log
from emulator.pytest_plugin.site import Site, TlsFiles
from emulator.sandbox import RunningMeter

_BY_SECRET = (Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_SHA256)


class Counters(NamedTuple):
    """Of one encryption key at the meter: the next value that it sends, and the lowest that it
    accepts.
    """

    next_to_send: int
    floor: int


class BenchMeter:
    """``running`` is the meter itself, for whoever is in the loop of the sandbox; all else here may
    be asked for from the test, whether it is asynchronous or not.
    """

    def __init__(
        self, running: RunningMeter, site: Site, secret: bytes, log: Log, in_loop: InLoop
    ) -> None:
        self.running = running
        self._site = site
        self._secret = secret
        self._log = log
        self._in_loop = in_loop

    def __repr__(self) -> str:
        return f"<meter {self.name} at {self.host}:{self.port}>"

    # What it is, and where ------------------------------------------------------------------------

    @property
    def address(self) -> MeterAddress:
        return self.running.address

    @property
    def name(self) -> str:
        return self.address.name

    @property
    def title(self) -> bytes:
        """Its system title, 8 octets."""
        return self.address.title

    @property
    def host(self) -> str:
        return self.address.host

    @property
    def port(self) -> int:
        """Of the wrapper over plain TCP."""
        return self.address.plain_port

    @property
    def tls_port(self) -> int:
        return self.address.tls_port

    @property
    def udp_port(self) -> int:
        """``ValueError`` if the test has not asked for this way; so the next three."""
        return self._open("udp", self.address.udp_port)

    @property
    def hdlc_port(self) -> int:
        return self._open("hdlc", self.address.hdlc_port)

    @property
    def line(self) -> str:
        """Path of a serial line that carries HDLC."""
        return self._open("line", self.address.line)

    @property
    def optical(self) -> str:
        """Path of a serial line that begins with the mode E opening."""
        return self._open("optical", self.address.optical)

    @property
    def profile(self) -> Profile:
        return self.running.device.profile

    @property
    def device(self) -> Device:
        return self.running.device

    def tls_files(self, party: str = "s1sp") -> TlsFiles:
        """PEM files with which that party connects to the TLS port."""
        return self._site.tls_files(party)

    def tls_context(self, party: str = "s1sp") -> ssl.SSLContext:
        return self._site.tls_context(party)

    # How to associate -----------------------------------------------------------------------------

    def keys(self, association: str) -> Keys:
        """The keys that the meter has now, those transferred since among them. Private keys, and
        the meter's public ones, are those it was made with.
        """
        return self._in_loop(lambda: self._keys(self._row(association)))

    def client_title(self, association: str) -> bytes:
        """The system title of the client of an association."""
        return client_title(self._row(association), client_titles())

    def options(self, association: str) -> Options:
        """What ``associate()`` of :mod:`emulator.client` takes."""
        row = self._row(association)
        config = row.config
        found = Options(
            client_sap=config.client_sap,
            server_sap=config.server_sap,
            mechanism=config.mechanism,
            keys=self.keys(association),
            suite=config.suite,
            ciphered=config.context.ciphered,
            short_names=config.context.referencing is Referencing.SHORT_NAME,
        )
        if row.security_setup is not None:
            found["own_title"] = self.client_title(association)
            found["counter_from"] = f"0-0:43.1.{row.security_setup}.255"
        return found

    # What has become of it ------------------------------------------------------------------------

    @property
    def balance(self) -> Decimal | None:
        """In pounds; ``None`` for a meter without an account."""
        text = self._status("balance")
        return None if text is None else Decimal(str(text))

    @property
    def relay(self) -> str | None:
        """``connected``, ``disconnected`` or ``ready-for-reconnection``; ``None`` without one."""
        state = self._status("relay")
        return None if state is None else str(state)

    @property
    def connections(self) -> int:
        return self._in_loop(lambda: self.running.mains.connections)

    def counters(self, association: str) -> Counters:
        """Of the global unicast encryption key that is in force."""

        def look() -> Counters:
            key = self.device.key(self._row(association).name, KeyKind.GUEK)
            kept = self.device.state.counters
            return Counters(kept.next_to_send(key), kept.floor(key))

        return self._in_loop(look)

    def key_version(self, association: str, kind: KeyKind) -> int:
        """0 until the key is replaced, then one more each time."""
        name = self._row(association).name
        return self._in_loop(lambda: self.device.key(name, kind).version)

    @property
    def events(self) -> list[MeterEvent]:
        """Everything that was seen at it so far: kind, peer, association and a line to read."""
        return self._in_loop(lambda: self._log.of(self.name))

    @property
    def happenings(self) -> list[Happening]:
        """What has happened to it, as its logs and alerts call it."""
        told = self._in_loop(lambda: self._log.of(self.name, "happening"))
        return [Happening(int(event.text[:4], 16)) for event in told]

    @property
    def apdus(self) -> list[Apdu]:
        """Every APDU at it so far, decoded as far as that takes no key."""
        return self._in_loop(lambda: self._log.apdus(self.name))

    @property
    def services(self) -> list[str]:
        """Every request that it has understood, and its responses, beneath all protection."""
        told = self._in_loop(lambda: self._log.of(self.name, "request", "response"))
        return [event.text for event in told]

    async def wait_for(self, kind: str, count: int = 1) -> list[MeterEvent]:
        """Return once there are ``count`` events of a kind; from a synchronous test by
        ``live_sandbox.run()``.
        """
        return await self._log.wait(self.name, kind, count)

    # What befalls it ------------------------------------------------------------------------------

    def reboot(self) -> None:
        """It begins anew with what it keeps: connections and associations are gone."""
        self._in_loop(self.running.mains.reboot)

    def power_off(self) -> None:
        self._in_loop(self.running.mains.cut)

    def power_on(self) -> None:
        self._in_loop(self.running.mains.restore)

    # ----------------------------------------------------------------------------------------------

    def _status(self, what: str) -> object:
        return self._in_loop(lambda: status_of(self.running.mains))[what]

    def _row(self, association: str) -> AssociationRow:
        rows = self.profile.associations
        if association not in rows:
            raise ValueError(f"{self.name} has no association {association!r}: {', '.join(rows)}")
        return rows[association]

    def _keys(self, row: AssociationRow) -> Keys:
        def current(kind: KeyKind) -> bytes:
            return self.running.ring.get(self.device.key(row.name, kind))

        found = Keys()
        if row.config.mechanism is Mechanism.LLS:
            found = Keys(password=current(KeyKind.LLS_SECRET))
        if row.config.mechanism in _BY_SECRET:
            found = Keys(hls_secret=current(KeyKind.HLS_SECRET))
        if row.security_setup is None:
            return found
        made = KeyRing(self._secret, suites_of(self.profile))
        given = client_keys(row, self.title, self.client_title(row.name), made)
        return replace(
            given,
            guek=current(KeyKind.GUEK),
            gak=self.running.ring.get(self.device.authentication_key(row)),
            gbek=current(KeyKind.GBEK),
            kek=current(KeyKind.KEK),
            password=found.password,
            hls_secret=found.hls_secret,
        )

    def _open(self, way: str, where: T | None) -> T:
        if where is None:
            raise ValueError(f"{self.name} has no way {way}: ask for it with ways=[{way!r}]")
        return where
