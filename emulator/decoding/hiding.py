"""Keeping secrets out of what is shown: the keys that open, and what was sent in clear as one."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.decoding.conversation import Conversation
from emulator.decoding.fields import Field

HIDDEN = "••"
"""In the place of an octet."""

_SHORTEST = 4
"""Octets of a secret that is searched for: fewer stand everywhere by chance."""
_DATA_HEAD = 2
_WHOLE = ("calling-authentication-value", "dedicated-key", "data")
"""Fields that are a secret themselves, and not only a place where one may be."""


class Hider:
    """Knows secrets; they are in nothing that it gives, nor in its ``repr``."""

    def __init__(self, keys: Iterable[bytes], conversations: Iterable[Conversation]) -> None:
        self._secrets = {key for key in keys if len(key) >= _SHORTEST}
        for conversation in conversations:
            for message in conversation.messages:
                for layer in message.layers:
                    for one in layer.fields:
                        if one.secret and one.name in _WHOLE:
                            octets = layer.octets[one.start : one.stop]
                            self._know(octets[_DATA_HEAD:] if one.name == "data" else octets)

    def __repr__(self) -> str:
        return f"<Hider of {len(self._secrets)} secrets>"

    def _know(self, octets: bytes) -> None:
        if len(octets) >= _SHORTEST:
            self._secrets.add(octets)

    def octets(self, octets: bytes, fields: Iterable[Field] = ()) -> list[str]:
        """Each octet as two digits, or hidden."""
        places = {at for one in fields if one.secret for at in range(one.start, one.stop)}
        for secret in self._secrets:
            at = octets.find(secret)
            while at >= 0:
                places.update(range(at, at + len(secret)))
                at = octets.find(secret, at + 1)
        return [HIDDEN if at in places else f"{octet:02X}" for at, octet in enumerate(octets)]

    def text(self, text: str) -> str:
        for secret in self._secrets:
            for written in (secret.hex(), secret.hex().upper(), repr(secret)[2:-1]):
                text = text.replace(written, HIDDEN)
        return text
