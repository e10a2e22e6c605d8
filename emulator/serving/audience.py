"""Who is connected to a meter, and so can be told what nobody has asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from devices.outbox import Announcement


class Member(Protocol):
    """A connection, a line, or all peers of a UDP port."""

    def tell(self, what: Announcement) -> int:
        """Tell every association that it is for, as far as they take it; give their number."""
        ...

    def hang_up(self) -> None:
        """The meter restarts: end every association here once what is said has gone out."""
        ...


class Audience:
    """The members of one meter, in the order in which they came."""

    def __init__(self) -> None:
        self._members: dict[Member, None] = {}

    def join(self, member: Member) -> None:
        self._members[member] = None

    def leave(self, member: Member) -> None:
        """Whether it had joined or not."""
        self._members.pop(member, None)

    def tell(self, *announcements: Announcement) -> int:
        """Tell everybody at once, without any request; give how many associations were told."""
        return self.tell_all(announcements)

    def hang_up(self) -> None:
        """The meter restarts: nobody is associated any more."""
        for member in tuple(self._members):
            member.hang_up()

    def tell_all(self, announcements: Iterable[Announcement]) -> int:
        return sum(member.tell(what) for what in announcements for member in tuple(self._members))
