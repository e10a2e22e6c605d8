"""The Cryptographic Module on a token.

The operations are those of the software module, with the same results. Whatever the token cannot do
is refused: nothing falls through to software but what needs no secret.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from dlms.security import ops
from dlms.security.keys import KeyRef
from dlms.security.ops import CryptoOp, KeyUnavailable
from emulator.modules import keyless
from emulator.modules.key_kinds import PAIRS, WRAPS, check_kind, check_secret
from emulator.modules.keyring import lasts, suite_zero
from emulator.modules.pkcs11.ciphering import Ciphering
from emulator.modules.pkcs11.connection import Connection
from emulator.modules.pkcs11.failures import TokenCannot
from emulator.modules.pkcs11.kept import WrappedInMemory, WrappedKeys
from emulator.modules.pkcs11.key_pairs import KeyPairs
from emulator.modules.pkcs11.pair_work import PairWork
from emulator.modules.pkcs11.residents import Residents
from emulator.modules.pkcs11.secret_keys import MOST_OBJECTS, SecretKeys
from emulator.modules.pkcs11.token import Token
from emulator.policy import ModuleClass


class _Session(NamedTuple):
    """What is made for one connection and ends with it."""

    connection: Connection
    keys: SecretKeys
    pairs: KeyPairs
    ciphering: Ciphering
    work: PairWork


class Pkcs11Module:
    """Opens the token, which takes some milliseconds: in a thread, if there is an event loop.
    :class:`~emulator.modules.pkcs11.errors.TokenUnavailable` if it cannot.

    ``kept`` has the keys that last, wrapped. ``suite_of`` is as in
    :class:`~emulator.modules.keyring.KeyRing`. ``module_class`` is what whoever chose the token
    knows of it, for no library tells; ``emulated`` likewise, where the token is not known for it.
    """

    blocks = True
    gives = False

    def __init__(
        self,
        token: Token,
        kept: WrappedKeys | None = None,
        suite_of: Callable[[KeyRef], int] = suite_zero,
        *,
        module_class: ModuleClass = ModuleClass.LEVEL_3,
        emulated: bool | None = None,
        most_objects: int = MOST_OBJECTS,
    ) -> None:
        self._token = token
        self._kept = WrappedInMemory() if kept is None else kept
        self._suite_of = suite_of
        self._most_objects = most_objects
        self._session: _Session | None = None
        facts = token.facts
        self.name = facts.name
        self.module_class = module_class
        self.emulated = facts.emulated if emulated is None else emulated

    def __repr__(self) -> str:
        return f"<Pkcs11Module {self.name}>"

    @property
    def token(self) -> Token:
        return self._token

    def execute(self, op: CryptoOp) -> Any:
        """See :meth:`~emulator.modules.module.CryptoModule.execute`. If the token is lost
        :class:`~emulator.modules.pkcs11.errors.TokenUnavailable`, and the next operation connects
        again; keys that were in the session alone are gone then.
        """
        if isinstance(op, ops.Verify):
            return keyless.verify(op)
        if isinstance(op, ops.CheckCertificate):
            return keyless.check_certificate(op)
        handler = _HANDLERS[type(op)]
        return self._run(partial(self._carry_out, handler, op))

    def tls_sign(self, key: KeyRef, digest: bytes) -> bytes:
        """See :class:`~emulator.modules.module.TlsSigner`."""
        signature: bytes = self._run(lambda session: session.work.tls_sign(key, digest))
        return signature

    def holds(self, key: KeyRef) -> bool:
        """It does not wait for the token: as long as nothing was done with it, or it is lost, what
        lasts counts as held.
        """
        session = self._session
        if session is None:
            return lasts(key)
        return (session.pairs if key.kind in PAIRS else session.keys).holds(key)

    def export(self, key: KeyRef) -> bytes:
        raise KeyUnavailable(f"{key} does not leave {self.name}")

    def admit(self, key: KeyRef, octets: bytes) -> None:
        """It is there as long as this session with the token lasts. Of a key pair, the scalar."""

        def admit(session: _Session) -> None:
            (session.pairs if key.kind in PAIRS else session.keys).bring(key, octets)

        self._run(admit)

    def close(self) -> None:
        """End the session, with the keys in it. The next operation begins another."""
        self._session = None
        self._token.close()

    def _run(self, work: Callable[[_Session], Any]) -> Any:
        return self._token.run(lambda connection: work(self._in(connection)))

    def _carry_out(
        self, handler: Callable[[_Session, Any], Any], op: CryptoOp, session: _Session
    ) -> Any:
        name = type(op).__name__
        lack = next((one for one in self._token.facts.lacks if one.operation == name), None)
        if lack is not None:
            raise TokenCannot(f"{self.name} lacks {lack.mechanism}, which {name} needs")
        return handler(session, op)

    def _in(self, connection: Connection) -> _Session:
        if self._session is None or self._session.connection is not connection:
            residents = Residents(connection)
            keys = SecretKeys(connection, residents, self._kept, self._suite_of, self._most_objects)
            pairs = KeyPairs(connection, residents, self._kept, self._suite_of)
            self._session = _Session(
                connection,
                keys,
                pairs,
                Ciphering(connection, keys),
                PairWork(connection, pairs, keys),
            )
        return self._session


def _wrap(session: _Session, op: ops.Wrap) -> bytes:
    check_kind(op.kek, WRAPS)
    check_secret(op.key)
    return session.keys.wrap(op.kek, op.key)


def _unwrap(session: _Session, op: ops.Unwrap) -> None:
    check_kind(op.kek, WRAPS)
    check_secret(op.into)
    session.keys.unwrap(op.kek, op.wrapped, op.into, op.unlike)


def _generate(session: _Session, op: ops.GenerateKey) -> None:
    check_secret(op.into)
    session.keys.generate(op.into, op.length)


def _discard(session: _Session, op: ops.Discard) -> None:
    if op.key.kind in PAIRS:
        session.pairs.discard(op.key)
    else:
        session.keys.discard(op.key)


_HANDLERS: dict[type, Callable[[_Session, Any], Any]] = {
    ops.Seal: lambda session, op: session.ciphering.seal(op),
    ops.Open: lambda session, op: session.ciphering.open(op),
    ops.Mac: lambda session, op: session.ciphering.mac(op),
    ops.Present: lambda session, op: session.ciphering.present(op),
    ops.Match: lambda session, op: session.ciphering.match(op),
    ops.Digest: lambda session, op: session.ciphering.digest(op),
    ops.Random: lambda session, op: session.connection.random(op.length),
    ops.Wrap: _wrap,
    ops.Unwrap: _unwrap,
    ops.GenerateKey: _generate,
    ops.Discard: _discard,
    ops.Sign: lambda session, op: session.work.sign(op),
    ops.GenerateKeyPair: lambda session, op: session.work.generate(op),
    ops.PublicKey: lambda session, op: session.work.public(op),
    ops.Agree: lambda session, op: session.work.agree(op),
    ops.CertificateRequest: lambda session, op: session.work.request(op),
}
