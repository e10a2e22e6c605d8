"""Operations carried out otherwise than they should be, and the look-out for what they repeat."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dlms.security.keys import KeyRef
from dlms.security.ops import CryptoFailure, CryptoOp, GenerateKeyPair, Mac, Seal, Sign
from emulator.fuzz.in_process.ephemerals import Ephemerals
from emulator.fuzz.twist import Edits, Otherwise, edited

KeyNamed: TypeAlias = Callable[[str], KeyRef]
"""The key in force of that kind."""
Execute: TypeAlias = Callable[[CryptoOp], Any]

NO_KEY = "NONE"


class ModuleFailed(CryptoFailure):
    """The Cryptographic Module gives no result, for no reason of the message's."""


def altered(op: Seal | Mac, how: Otherwise, key: KeyNamed) -> Seal | Mac:
    """``op`` as ``how`` has it."""
    if how.control is not None:
        op = op._replace(control=how.control)
    if how.counter is not None:
        op = op._replace(counter=how.counter)
    if how.title is not None:
        op = op._replace(title=how.title)
    if how.ek is not None:
        op = op._replace(ek=key(how.ek))
    if how.ak is not None:
        op = op._replace(ak=None if how.ak == NO_KEY else key(how.ak))
    if isinstance(op, Seal):
        if isinstance(op.payload, bytes):
            op = op._replace(payload=edited(op.payload, how.payload))
        elif how.carries:
            parts = [key(how.carries) if isinstance(one, KeyRef) else one for one in op.payload]
            op = op._replace(payload=tuple(parts))
        return op
    return op._replace(message=edited(op.message, how.payload))


def altering(
    execute: Execute, seal: Otherwise | None, mac: Otherwise | None, key: KeyNamed, title: bytes
) -> Execute:
    """``execute``, with what the holder of ``title`` seals and authenticates done otherwise; what
    is computed with the title of another is verified.
    """

    def run(op: CryptoOp) -> Any:
        if not isinstance(op, Seal | Mac) or op.title != title:
            return execute(op)
        if isinstance(op, Seal) and seal is not None:
            op = altered(op, seal, key)
        elif isinstance(op, Mac) and mac is not None:
            op = altered(op, mac, key)
        return execute(op)

    return run


def signing(execute: Execute, public: Edits, signed: Edits) -> Execute:
    """``execute``, with other ephemeral public keys, and another message signed."""

    def run(op: CryptoOp) -> Any:
        if isinstance(op, Sign):
            op = op._replace(message=edited(op.message, signed))
        result = execute(op)
        return edited(result, public) if isinstance(op, GenerateKeyPair) else result

    return run


def failing(execute: Execute, name: str, at: int) -> Execute:
    """``execute``, but operations of that name fail from the ``at``-th on, from 0."""
    seen = 0

    def run(op: CryptoOp) -> Any:
        nonlocal seen
        if type(op).__name__ == name:
            seen += 1
            if seen > at:
                raise ModuleFailed("the module gives no result")
        return execute(op)

    return run


@dataclass(slots=True)
class Vectors:
    """The initialization vectors that were used, by key: none for two inputs (I1)."""

    used: dict[bytes, bytes] = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)
    ephemerals: Ephemerals = field(default_factory=Ephemerals)

    def watch(
        self, who: str, title: bytes, op: CryptoOp, octets: Callable[[KeyRef], bytes]
    ) -> None:
        """Take down what is about to be sealed or authenticated by ``who``, whose system title is
        ``title``. What it computes with the title of another it verifies.
        """
        if not isinstance(op, Seal | Mac) or op.title != title:
            return
        content = op.payload if isinstance(op, Seal) else op.message
        if isinstance(content, tuple):
            content = b"".join(
                octets(part) if isinstance(part, KeyRef) else part for part in content
            )
        vector = octets(op.ek) + op.title + op.counter.to_bytes(4, "big")
        mark = hashlib.sha256(vector).digest()
        ak = b"" if op.ak is None else octets(op.ak)
        kind = b"seal" if isinstance(op, Seal) else b"mac"
        what = hashlib.sha256(kind + bytes((op.control,)) + ak + content).digest()
        if self.used.setdefault(mark, what) != what:
            self.breaches.append(
                f"I1: {who} uses the vector {op.title.hex().upper()} {op.counter} twice under "
                f"{op.ek.scope}/{op.ek.kind.name}"
            )
