"""Whether a chain holds: nothing changed, removed, put elsewhere or put in between."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.ledger.chain import Head, Link, chained, genesis
from emulator.ledger.errors import LedgerError, Tampered
from emulator.ledger.record import FIELDS, Record


class Verification:
    """Goes along a chain, in order of the numbers as they are stored.

    ``known`` is a head that was taken earlier and kept elsewhere: without one nobody can tell
    whether entries are cut off at the end. With ``since`` on, what is up to it is taken as verified
    and the links begin right behind it. :class:`LedgerError` if it is the head of another ledger.
    """

    def __init__(self, ledger: str, known: Head | None = None, *, since: bool = False) -> None:
        self.head = genesis(ledger)
        self._known = known
        if known is None:
            return
        if known.ledger != ledger:
            raise LedgerError(f"this is ledger {ledger}, and the head is of {known.ledger}")
        if known.number == 0 and known != self.head:
            raise Tampered(1, "the head that is known of the empty ledger is another one")
        if since:
            self.head = known

    def add(self, links: Iterable[Link]) -> None:
        """Go on. :class:`Tampered` at the first that is not as it was written."""
        for link in links:
            self._add(link)

    def finish(self, claimed: Head) -> Head:
        """Nothing follows; ``claimed`` is the head that the ledger itself names."""
        known = self._known
        if known is not None and self.head.number < known.number:
            raise Tampered(
                self.head.number + 1, f"missing, and the known head is entry {known.number}"
            )
        if claimed.number > self.head.number:
            raise Tampered(
                self.head.number + 1, f"missing, and the ledger ends with entry {claimed.number}"
            )
        if claimed.number < self.head.number:
            raise Tampered(claimed.number + 1, f"the ledger ends with entry {claimed.number}")
        if claimed != self.head:
            raise Tampered(max(claimed.number, 1), "the ledger's own head is another one")
        return self.head

    def _add(self, link: Link) -> None:
        due = self.head.number + 1
        if type(link.number) is not int:
            raise Tampered(due, "there is something without a number")
        if link.number > due:
            raise Tampered(due, f"missing: entry {link.number} follows entry {self.head.number}")
        if link.number < due:
            raise Tampered(link.number, "is not where it belongs")
        for name, text in zip(FIELDS, link.record, strict=True):
            if not isinstance(text, str):
                raise Tampered(due, f"its {name} is no text")
        if link.previous != self.head.hash:
            raise Tampered(due, "its previous hash is not that of the entry before")
        try:
            head = chained(self.head, Record._make(link.record))
        except UnicodeEncodeError:
            raise Tampered(due, "what it says is no text") from None
        if link.hash != head.hash:
            raise Tampered(due, "its hash is not that of what it says")
        known = self._known
        if known is not None and known.number == due and known != head:
            raise Tampered(due, "it is not the one of the head that is known")
        self.head = head
