"""What a run is drawn from: the clients of a setting, and what there is for each to ask."""

from __future__ import annotations

from devices.profile.model import AssociationRow
from dlms.axdr.data import Data, enum, integer, octet_string
from dlms.cosem import classes
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.fuzz.judge.site import Site
from emulator.fuzz.setting import Setting

NAME = AttributeDescriptor(15, bytes((0, 0, 40, 0, 0, 255)), 1)
"""Of the current association: whoever has one may read it."""
CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
NOTE = AttributeDescriptor(1, bytes((0, 0, 96, 1, 9, 255)), 2)
"""An octet-string of the laboratory's, to write on."""
IN_TLS = "tls"
NO_LIMIT = 0xFFFFFFFF


class Palette:
    """``clients`` are those that take part: ``short`` those of them that say everything by short
    names, ``named`` the others, ``keyed`` those that have keys of their own to replace,
    ``agreeing`` those that may agree on new ones, ``in_channels`` those that come by TLS: their
    names begin with it.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.site = Site(setting)
        profile = self.site.profile
        names = self.site.clients
        self.clients = names
        rows = {name: row for name in names if (row := self.site.row(name)) is not None}
        self.short = tuple(name for name, row in rows.items() if row.config.short_names)
        self.named = tuple(name for name in names if name not in self.short)
        self.keyed = tuple(name for name in self.named if name in rows and is_keyed(rows[name]))
        self.agreeing = tuple(name for name in self.keyed if rows[name].config.suite)
        self.secretive = tuple(
            name for name in self.keyed if rows[name].config.mechanism.name == "HLS_SHA256"
        )
        self.guarded = tuple(name for name in names if self.site.is_guarded(name))
        self.countable = tuple(name for name in self.guarded if not self.site.kind(name).dedicated)
        self.hls = tuple(name for name, row in rows.items() if row.config.mechanism.is_hls)
        self.in_channels = tuple(name for name in names if name.startswith(IN_TLS))
        self.takes_tokens = profile.top_up == "token" and any(
            True for _ in profile.of_class(classes.TOKEN_GATEWAY)
        )

    def scope(self, client: str) -> str:
        return self.site.scope(client)

    def is_silent(self, client: str) -> bool:
        """Whether there is no AARQ in its association."""
        row = self.site.row(client)
        return row is not None and row.config.pre_established

    def jump(self, client: str) -> int:
        """By how much the meter lets a counter jump, with room for what one does besides."""
        most = self.site.knobs(self.scope(client)).max_forward_jump
        return NO_LIMIT if most is None else most // 4

    def setup(self, client: str) -> bytes:
        """The logical name of its Security setup."""
        row = self.site.row(client)
        number = 0 if row is None or row.security_setup is None else row.security_setup
        return bytes((0, 0, 43, 0, number, 255))

    def attributes(self) -> tuple[AttributeDescriptor, ...]:
        return (NAME, NOTE, CLOCK)

    def values(self) -> tuple[tuple[AttributeDescriptor, Data], ...]:
        return (
            (NOTE, octet_string(b"\x07")),
            (NOTE, octet_string(b"\x08")),
            (NAME, octet_string(bytes(6))),
        )

    def methods(self, client: str) -> tuple[tuple[MethodDescriptor, Data | None], ...]:
        """A policy that is as strict as can be, ones that are weaker, a clock that is set."""
        row = self.site.row(client)
        has_bits = row is not None and row.config.suite > 0
        strict = 0b01101100 if has_bits else 3
        activate = MethodDescriptor(64, self.setup(client), 1)
        return (
            (MethodDescriptor(8, CLOCK.instance, 3), integer(0)),
            (activate, enum(strict)),
            (activate, enum(strict & 0b00100100 if has_bits else 1)),
            (activate, enum(0)),
        )


def is_keyed(row: AssociationRow) -> bool:
    """Whether its keys can be replaced by who has it."""
    config = row.config
    return row.security_setup is not None and not config.pre_established
