"""What came back of something that was done: that which an expecter judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from dlms.security.control import Protection


class What(Enum):
    SILENCE = "silence"
    CLOSED = "the connection, or the link, has ended"
    APDU = "an APDU"
    FRAME = "an HDLC frame"
    FOUND = "what the tester has found out"
    """By as many exchanges as it took: ``problems`` and ``facts`` say what."""

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """``octets`` are those of the APDU or frame as it came, ``plain`` the APDU beneath its
    protection, ``message`` what it decodes to, ``None`` if it does not and then ``why`` says why
    and ``fault`` at which octet of it, where that is known. ``entry`` is the number in the record
    of ``plain``, ``carrier`` that of the protected APDU around it, if it was. ``problems`` is what
    is wrong, in words; nothing is wrong if it is empty.
    """

    what: What
    octets: bytes = b""
    plain: bytes = b""
    message: Any = None
    protection: Protection | None = None
    counter: int | None = None
    entry: int | None = None
    carrier: int | None = None
    why: str = ""
    fault: int | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def silence(cls, seconds: float) -> Seen:
        return cls(what=What.SILENCE, why=f"nothing within {seconds:g} s")

    @classmethod
    def closed(cls, why: str) -> Seen:
        return cls(what=What.CLOSED, why=why)

    @classmethod
    def apdu(cls, octets: bytes, entry: int) -> Seen:
        return cls(what=What.APDU, octets=octets, plain=octets, entry=entry)

    @classmethod
    def frame(cls, frame: Any, octets: bytes, entry: int | None = None) -> Seen:
        return cls(what=What.FRAME, octets=octets, message=frame, entry=entry)

    @classmethod
    def found(
        cls, problems: Iterable[str] = (), *, notes: Iterable[str] = (), **facts: Any
    ) -> Seen:
        """What several exchanges have shown."""
        return cls(
            what=What.FOUND,
            problems=tuple(problems),
            notes=tuple(notes),
            facts=facts,
        )

    def having(self, **changes: Any) -> Seen:
        return replace(self, **changes)

    def __str__(self) -> str:
        """One line for people; never a secret, for nothing that is deciphered is shown here."""
        match self.what:
            case What.SILENCE | What.CLOSED:
                return f"{self.what.value} ({self.why})" if self.why else self.what.value
            case What.FOUND:
                if self.problems:
                    return "; ".join(self.problems)
                facts = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
                return facts or "nothing amiss"
        if self.message is None:
            return f"{self.octets.hex(' ')}: {self.why or 'not decoded'}"
        shown = repr(self.message)
        if self.protection is not None:
            shown += f", {self.protection!r}"
        return shown
