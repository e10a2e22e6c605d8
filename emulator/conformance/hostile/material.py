"""What a head end is told before it calls: where the meter is, who is who, keys, what is asked.

A command gets it as a JSON file, which nobody but its owner can read. All keys are test keys.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dlms.xdlms.descriptors import AttributeDescriptor

MODE = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What one task needs. ``secrets`` are octets by name, as
    :class:`~emulator.client.keys.Keys` has them, and are in no ``repr``. ``context`` and
    ``mechanism`` are the names of :mod:`dlms.acse.names`. ``counter_from`` is the object in which
    the public client reads the counter that the meter awaits. ``timeout`` is how many seconds an
    answer is to be awaited, ``limit`` how many the whole task may take.

    ``read`` are the attributes of the task read, one after the other, in one association;
    ``block_read``, ``clock`` and ``profile`` those of the tasks of their names. ``security_setup``,
    ``image_transfer`` are logical names, empty where the meter has none. ``hdlc`` is the address of
    the meter's link, empty without HDLC; ``tls`` are the paths of PEM files. ``top_up`` is the
    Credit of the task top-up: ``class_id``, ``instance``, ``attribute`` with what is there, the
    ``method`` that adds to it, and the ``amount``; empty where the meter has none.
    """

    host: str
    port: int
    way: str
    client_sap: int
    server_sap: int
    context: str
    mechanism: str
    suite: int
    own_title: bytes
    server_title: bytes
    secrets: Mapping[str, bytes] = field(repr=False)
    counter_from: str
    timeout: float
    limit: float
    read: tuple[AttributeDescriptor, ...]
    block_read: AttributeDescriptor
    clock: AttributeDescriptor
    profile: AttributeDescriptor | None = None
    security_setup: str = ""
    image_transfer: str = ""
    image: bytes = field(default=b"", repr=False)
    hdlc: Mapping[str, int] = field(default_factory=dict)
    tls: Mapping[str, str] = field(default_factory=dict)
    top_up: Mapping[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """With the secrets: for the head end only."""
        return {
            "host": self.host,
            "port": self.port,
            "way": self.way,
            "client_sap": self.client_sap,
            "server_sap": self.server_sap,
            "context": self.context,
            "mechanism": self.mechanism,
            "suite": self.suite,
            "own_title": self.own_title.hex(),
            "server_title": self.server_title.hex(),
            "keys": {name: octets.hex() for name, octets in self.secrets.items()},
            "counter_from": self.counter_from,
            "timeout": self.timeout,
            "limit": self.limit,
            "read": [named(one) for one in self.read],
            "block_read": named(self.block_read),
            "clock": named(self.clock),
            "profile": None if self.profile is None else named(self.profile),
            "security_setup": self.security_setup,
            "image_transfer": self.image_transfer,
            "image": self.image.hex(),
            "hdlc": dict(self.hdlc),
            "tls": dict(self.tls),
            "top_up": dict(self.top_up),
        }

    def write(self, path: Path) -> None:
        """To a new file, which its owner alone may read. ``OSError`` if there is one already."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "w") as file:
            json.dump(self.to_json(), file)


def named(attribute: AttributeDescriptor) -> dict[str, object]:
    """An attribute as the file has it: ``{"class_id": 8, "instance": "0-0:1.0.0.255", ...}``."""
    return {
        "class_id": attribute.class_id,
        "instance": code(attribute.instance),
        "attribute": attribute.attribute,
    }


def code(instance: bytes) -> str:
    """A logical name as people write it."""
    a, b, c, d, e, f = instance
    return f"{a}-{b}:{c}.{d}.{e}.{f}"
