"""A client of DLMS/COSEM meters, for asyncio and without it.

::

    async with connect("192.0.2.7", 4059) as client:
        async with client.associate(client_sap=16) as a:
            print(await a.get("active_energy_import"))          # 1234567 Wh

- :func:`connect`, :func:`connect_blocking` make a connection, by any way to a meter
- :mod:`emulator.client.association` and :mod:`~emulator.client.blocking`  the two drivers, with the
  same words
- :mod:`emulator.client.options`  how to associate; :mod:`~emulator.client.keys` the keys
- :mod:`emulator.client.errors`  what can go wrong
- :mod:`emulator.client.security_setup`  keys, certificates and policy of an association
- :mod:`emulator.client.images`  firmware images to a meter
- :mod:`emulator.client.session`, :mod:`~emulator.client.reading`  what both do, without transport
- :mod:`emulator.client.accessing`  reading, writing and invoking in one request
- :mod:`emulator.client.short_names`  the same by short names
- :mod:`emulator.client.noticing`  what a meter says unasked
- :class:`MeterClient`, :class:`BlockingMeterClient`  one association with ``Data`` in and out
"""

from __future__ import annotations

from typing import Unpack

from emulator.client.accessing import Invoke, Read, Write
from emulator.client.association import Association, Client
from emulator.client.blocking import BlockingAssociation, BlockingClient
from emulator.client.blocking_channel import BlockingChannel
from emulator.client.blocking_meter_client import BlockingMeterClient
from emulator.client.errors import (
    AnswerTimeout,
    AssociationLost,
    ClientError,
    MeterFault,
    NotAssociated,
    NothingSaid,
    Refused,
    UnknownObject,
)
from emulator.client.image_look import ImageRefused
from emulator.client.image_transfer import Transfer
from emulator.client.images import BlockingImages, Images
from emulator.client.keys import Keys
from emulator.client.meter_client import RESPONSE_TIMEOUT, MeterClient, Runner
from emulator.client.noticing import Notice
from emulator.client.objects import ObjectEntry, ObjectList
from emulator.client.route import Hdlc, Route, Way
from emulator.client.security_setup import (
    BlockingSecuritySetup,
    SecuritySetup,
    by_entity,
    by_serial,
)
from emulator.client.wires import DatagramWire, LineWire, SocketWire

__all__ = [
    "AnswerTimeout",
    "Association",
    "AssociationLost",
    "BlockingAssociation",
    "BlockingChannel",
    "BlockingClient",
    "BlockingImages",
    "BlockingMeterClient",
    "BlockingSecuritySetup",
    "Client",
    "ClientError",
    "DatagramWire",
    "Hdlc",
    "ImageRefused",
    "Images",
    "Invoke",
    "Keys",
    "LineWire",
    "MeterClient",
    "MeterFault",
    "NotAssociated",
    "NothingSaid",
    "Notice",
    "ObjectEntry",
    "ObjectList",
    "Read",
    "Refused",
    "Route",
    "Runner",
    "SecuritySetup",
    "SocketWire",
    "Transfer",
    "UnknownObject",
    "Way",
    "Write",
    "by_entity",
    "by_serial",
    "connect",
    "connect_blocking",
]


def connect(
    host: str, port: int | None = None, *, timeout: float = RESPONSE_TIMEOUT, **way: Unpack[Way]
) -> Client:
    """A connection to be entered: ``async with connect(...) as client``.

    With a ``port``: the wrapper over TCP unless ``way`` says otherwise. Without one ``host`` is the
    path of a serial line, which carries HDLC. ``timeout`` is in seconds, for the connection and for
    each answer; ``way`` is explained at :class:`~emulator.client.route.Way`.

    ``ValueError`` if these do not go together.
    """
    return Client(Route(host=host, port=port, **way), timeout)


def connect_blocking(
    host: str, port: int | None = None, *, timeout: float = RESPONSE_TIMEOUT, **way: Unpack[Way]
) -> BlockingClient:
    """As :func:`connect`, without an event loop: ``with connect_blocking(...) as client``."""
    return BlockingClient(Route(host=host, port=port, **way), timeout)
