"""Features that an object list speaks for: objects that are there, and the rights to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from emulator.client.objects import ObjectEntry, ObjectList

_WRITABLE = 2


class SeenFeature(NamedTuple):
    name: str
    remark: str


class _Rule(NamedTuple):
    """An object of a class speaks for a feature, if ``write`` or ``invoke`` is allowed where it is
    asked for.
    """

    feature: str
    class_id: int
    write: int = 0
    invoke: int = 0

    def speaks(self, entry: ObjectEntry) -> bool:
        if self.write:
            return bool(entry.attributes.get(self.write, 0) & _WRITABLE)
        return entry.methods.get(self.invoke, False) if self.invoke else True

    @property
    def what(self) -> str:
        if self.write:
            return f", and attribute {self.write} may be written"
        return f", and method {self.invoke} may be invoked" if self.invoke else ""


_RULES = (
    _Rule("clock", 8, write=2),
    _Rule("profiles", 7),
    _Rule("register-monitor", 21),
    _Rule("scripts", 9),
    _Rule("data-protection", 30),
    _Rule("push", 40, invoke=1),
)
UNSEEN = (
    ("key.transfer", "keys may be transferred, and the master key is in the key file"),
    ("policy", "the security policy may be changed, which cannot be undone"),
    ("notify", "DataNotifications are expected"),
    ("hdlc.ui", "UI frames are handled in the normal disconnected mode"),
)
"""What nobody can see in a meter: whoever knows it has to say so."""


def seen_features(objects: ObjectList) -> Iterator[SeenFeature]:
    """The first object that speaks for each."""
    for rule in _RULES:
        entry = next(
            (one for one in objects if one.class_id == rule.class_id and rule.speaks(one)), None
        )
        if entry is not None:
            yield SeenFeature(rule.feature, f"{entry.name} is in the object list{rule.what}")
