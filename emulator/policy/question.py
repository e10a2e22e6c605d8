"""What the policy is asked: who does what, for which device, with which keys.

The words are those of the Smart Energy Code (SEC Section A and G2.44) and of the letter,
paragraphs 7 and 9.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef


class Actor(Enum):
    """Who carries out the operation. All of them are the DCC in a role."""

    S1SP = "S1SP"
    """SMETS1 Service Provider."""
    DCO = "DCO"
    """The second, independent hand on critical instructions; one per S1SP."""
    DCC = "DCC"
    """The DCC in any other role."""


class Category(Enum):
    """Category of a SMETS1 Device (letter, paragraph 10; SMETS1 Supporting Requirements).

    Where a category is asked for, ``None`` says that the target is not a SMETS1 Device.
    """

    CATEGORY_1 = "Category 1"
    CATEGORY_2 = "Category 2"


class Purpose(Enum):
    """What the operation is carried out for. The value completes "to ..."."""

    GENERATE_ADD_CREDIT_COMMAND = "generate a Command to add credit"
    GENERATE_INSTRUCTION = "generate an Instruction"
    PROCESS_RESPONSE = "process a response or an alert"
    ESTABLISH_ASSOCIATION = "establish or release an Application Association"
    ESTABLISH_TLS = "establish TLS"
    TRANSFER_KEY = "generate, wrap, unwrap or agree a key"
    STORE_ENCRYPTED_KEY = "store an encrypted key"
    OTHER = "do something else"


class KeyUse(NamedTuple):
    """All that the policy wants to know of a key that an operation touches."""

    kind: KeyKind
    lifetime: KeyLifetime

    @classmethod
    def of(cls, ref: KeyRef) -> KeyUse:
        """The use of the key that ``ref`` names."""
        return cls(ref.kind, ref.lifetime)

    def __str__(self) -> str:
        return f"{self.kind.value} ({self.lifetime.value})"


def key_uses(refs: Iterable[KeyRef]) -> tuple[KeyUse, ...]:
    """The uses of several keys, in the order given (see :func:`dlms.security.ops.keys_of`)."""
    return tuple(KeyUse(ref.kind, ref.lifetime) for ref in refs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One cryptographic operation, as far as the policy cares.

    ``category`` is ``None`` if the target is not a SMETS1 Device. ``keys`` are all keys that the
    operation touches, the encryption or wrapping key first; empty if it touches none.
    """

    actor: Actor
    purpose: Purpose
    category: Category | None
    keys: tuple[KeyUse, ...]
