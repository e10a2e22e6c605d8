"""What a meter does to responses as they go out: protected, and otherwise right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from dlms.axdr.data import octet_string
from dlms.security.ciphered import Form, decode_ciphered, is_ciphered
from dlms.security.control import Protection
from dlms.security.symmetric import TAG_LENGTH
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification
from emulator.conformance.hostile.vice import Reply, Vice
from emulator.conformance.hostile.vices.services import Numbered
from emulator.serving.taps import Parcel


class Flip(Vice):
    """``part`` is tag or ciphertext: a bit of it is flipped in each response."""

    kind: ClassVar[str] = "flip"

    def reply(self, reply: Reply) -> Iterable[bytes]:
        octets, needs = reply.octets, Protection.AUTHENTICATED
        if not octets or not is_ciphered(octets[0]):
            self.stage.cannot("its requests are not ciphered, and so are no responses")
            return (octets,)
        ciphered = decode_ciphered(octets)
        if self.parameters["part"] == "ciphertext":
            needs = Protection.BOTH
        if int(needs) & ~ciphered.control:
            self.stage.cannot(f"security control {ciphered.control:02X}: there is no such part")
            return (octets,)
        # The last octet of the ciphertext, where a value is: what does not look at the tag sees
        # another value, and nothing else.
        end = len(octets) if self.parameters["part"] == "tag" else len(octets) - TAG_LENGTH
        first = end - TAG_LENGTH if self.parameters["part"] == "tag" else end - 1
        place, bit = self.stage.rng.randrange(first, end), self.stage.rng.randrange(7)
        self.stage.acts(f"bit {bit} of octet {place} is flipped")
        changed = bytearray(octets)
        changed[place] ^= 1 << bit
        return (bytes(changed),)


class Replay(Vice):
    """The first response of the association comes in the place of all others."""

    kind: ClassVar[str] = "replay"
    _first = b""

    def reply(self, reply: Reply) -> Iterable[bytes]:
        if not self._first:
            self._first = reply.octets
            return (reply.octets,)
        self.stage.acts("an earlier response comes again")
        return (self._first,)


class PlainResponse(Vice):
    """Responses to ciphered requests are not protected."""

    kind: ClassVar[str] = "plain-response"

    def reply(self, reply: Reply) -> Iterable[bytes]:
        if not is_ciphered(reply.octets[0]) or not reply.plain:
            self.stage.cannot("its requests are not ciphered")
            return (reply.octets,)
        self.stage.acts("a response without protection")
        return (reply.plain,)


class Twice(Vice):
    """Each response comes twice: the ``same`` octets, or with ``fresh`` protection."""

    kind: ClassVar[str] = "twice"

    def reply(self, reply: Reply) -> Iterable[bytes]:
        self.stage.acts("two responses to one request")
        if self.parameters.get("how") == "fresh" and reply.plain:
            return (reply.octets, self.stage.sealed(reply.plain))
        return (reply.octets, reply.octets)


class Between(Vice):
    """A DataNotification comes between each request and its response."""

    kind: ClassVar[str] = "between"

    def reply(self, reply: Reply) -> Iterable[bytes]:
        if not self.stage.conformance & Conformance.DATA_NOTIFICATION:
            self.stage.cannot("it does not propose DataNotification")
            return (reply.octets,)
        told = DataNotification(self.stage.rng.randrange(1 << 20), octet_string(b"pushed"))
        if self.parameters.get("form") == "service":
            notification = self.stage.sealed(told.encode())
        else:
            notification = self.stage.sealed(told.encode(), Form.GENERAL)
        # Its counter is the higher one, though it comes first: so the response is sealed again.
        self.stage.acts("a DataNotification comes first")
        response = self.stage.sealed(reply.plain) if reply.plain else reply.octets
        return (notification, response)


class Slow(Vice):
    """The first response comes octet by octet, one a second, or as fast as it takes for a head end
    that waits to have all of it within its time.
    """

    kind: ClassVar[str] = "slow"
    _on = _done = False

    def reply(self, reply: Reply) -> Iterable[bytes]:
        if not self._done:
            self._on = self._done = True
            self.stage.acts("a response octet by octet")
        return (reply.octets,)

    def octets(self, parcel: Parcel) -> Iterable[Parcel]:
        if not self._on:
            return (parcel,)
        self._on = False
        octets = parcel.octets
        pause = min(1.0, self.stage.slowness / max(len(octets), 1))
        return tuple(
            parcel._replace(octets=octets[place : place + 1], delay=pause * place)
            for place in range(len(octets))
        )


class Lost(Vice):
    """The first answer to a method is lost: ``class`` and ``method`` say to which."""

    kind: ClassVar[str] = "lost"
    _done = False

    def reply(self, reply: Reply) -> Iterable[bytes]:
        if self._done or not self._is_meant(reply.request):
            return (reply.octets,)
        self._done = True
        self.stage.acts("the answer to the change is lost")
        return ()

    def _is_meant(self, request: bytes) -> bool:
        class_id, method = self.parameters["class"], self.parameters["method"]
        # action-request-normal: C3 01 invoke, class, logical name, method
        return (
            request[:2] == b"\xc3\x01"
            and request[3:5] == class_id.to_bytes(2, "big")
            and request[11:12] == bytes((method,))
        )


class Late(Numbered):
    """The first response is not sent until the head end asks again: ``how`` is never, and the
    second request is answered as it should be; or instead, and the first response comes in the
    place of all that follow.
    """

    kind: ClassVar[str] = "late"
    _first = b""

    def reply(self, reply: Reply) -> Iterable[bytes]:
        if not self._first:
            self._first = reply.octets
            self.stage.acts("a response does not come")
            return ()
        if self.parameters["how"] == "instead":
            self.stage.acts("the first response comes late, in the place of another")
            return (self._first,)
        return (reply.octets,)
