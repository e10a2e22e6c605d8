"""What a party needs for general-ciphering and general-signing APDUs with one other party.

That is not always the other end of the association: a third party protects its messages to a
server itself, and the client only passes them on (GB Ed. 8, 9.2.2.5). So each pair of parties has a
context, and a message is opened with the context of its originator.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dlms.errors import CodecError, LocalProtocolError
from dlms.security.general_header import GeneralHeader
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.protect import SecurityContext
from dlms.security.spent_keys import SpentKeys
from dlms.security.suites import SUITES, AlgorithmIdForm, Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralPractice:
    """Where stacks in the field differ.

    ``algorithm_id`` is how AlgorithmID is encoded. ``zero_counter`` demands invocation counter 0 in
    a message that brings its own key; the book has the counter start there, and many count from 1.
    ``without_key_info`` takes a message without key-info as one under the global unicast encryption
    key. ``content_length_signed`` says whether a signature covers the length of the content, as it
    does by the book (Figure 85).
    """

    algorithm_id: AlgorithmIdForm = AlgorithmIdForm.REGISTERED
    zero_counter: bool = False
    without_key_info: bool = False
    content_length_signed: bool = True


@dataclass(slots=True, kw_only=True)
class GeneralContext:
    """Keys and titles of one pair of parties.

    ``security`` has the suite, the titles, the global keys with their counters, and how lenient to
    be; a third party has no global unicast key there. ``agreement_key`` and ``signing_key`` are
    ours, the ``peer_...`` public keys (``x ‖ y``) come from certificates that have been checked.
    ``scope`` must not be that of another context whose keys are in the same module.
    """

    security: SecurityContext
    scope: str
    kek: KeyRef | None = None
    agreement_key: KeyRef | None = None
    signing_key: KeyRef | None = None
    peer_agreement_public: bytes | None = None
    peer_signing_public: bytes | None = None
    practice: GeneralPractice = GeneralPractice()
    spent: SpentKeys = field(default_factory=SpentKeys)
    _messages: int = 0

    @property
    def suite(self) -> Suite:
        return SUITES[self.security.suite]

    def header(
        self,
        transaction_id: bytes,
        *,
        broadcast: bool = False,
        date_time: bytes = b"",
        other_information: bytes = b"",
    ) -> GeneralHeader:
        """The header of a message of ours; a ``broadcast`` one names no recipient."""
        recipient = b"" if broadcast else self.security.peer_title
        if recipient is None:
            raise LocalProtocolError("the peer's system title is not known")
        own = self.security.own_title
        return GeneralHeader(transaction_id, own, recipient, date_time, other_information)

    def key_of_message(self, kind: KeyKind = KeyKind.EPHEMERAL) -> KeyRef:
        """A new name for a key that will live for one message.

        It is valid for less than one association, and so declared.
        """
        self._messages += 1
        return KeyRef(
            self.security.own_title,
            self.scope,
            kind,
            KeyLifetime.SINGLE_ASSOCIATION,
            self._messages,
        )

    def check_titles(self, header: GeneralHeader, broadcast: bool = False) -> None:
        """:class:`CodecError` unless ``header`` is of a message from the peer to us (R-PROT-4)."""
        peer = self.security.peer_title
        if peer is None:
            raise CodecError(
                "the peer's system title is not known", field="originator-system-title"
            )
        if header.originator != peer and (header.originator or not self.security.empty_title):
            raise CodecError("not of this context", field="originator-system-title")
        if header.recipient != self.security.own_title and (header.recipient or not broadcast):
            raise CodecError("not ours", field="recipient-system-title")
