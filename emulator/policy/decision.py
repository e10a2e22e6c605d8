"""What the policy answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from emulator.policy.question import KeyUse


class ModuleClass(IntEnum):
    """The class of Cryptographic Module an operation asks for, the strictest last.

    A module of one class may also serve what asks for a lower one.
    """

    NONE = 0
    G2_45 = 1
    LEVEL_3 = 2

    @property
    def text(self) -> str:
        """The class in words."""
        return _TEXTS[self]


_TEXTS = {
    ModuleClass.NONE: "not Cryptographic Processing",
    ModuleClass.G2_45: "Information Classification Scheme",
    ModuleClass.LEVEL_3: "FIPS 140-2 Level 3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A class of module and the grounds for it.

    ``clause`` is the one that decides. Where an exception takes an operation out of G2.44(c), the
    class is G2.45 and the clause is the exception's: ``G2.44(c)(iii)``. ``why`` is one sentence.
    ``deciding_key`` is ``None`` if the operation touches no key.
    """

    module_class: ModuleClass
    clause: str
    why: str
    deciding_key: KeyUse | None
