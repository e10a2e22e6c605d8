"""The ledger for people: what was done, which class it needed, why, how often."""

from __future__ import annotations

from emulator.cli.output import print_table
from emulator.ledger import Ledger

_HEADER = ("needs", "clause", "who", "device", "to", "key that decided", "enough", "operations")


def print_ledger(ledger: Ledger) -> None:
    """The table of groups, then each reason once."""
    rows = [
        (
            group.module_class.text,
            group.clause,
            group.actor,
            group.category,
            group.purpose,
            group.deciding,
            "yes" if group.sufficient else "NO",
            ", ".join(f"{name} {count}" for name, count in group.operations.items()),
        )
        for group in ledger.summary()
    ]
    print_table(rows, _HEADER)
    print()
    print("Why:")
    print_table([(f"  {clause}", why) for clause, why in ledger.reasons()])


def print_shortfall(ledger: Ledger) -> None:
    """What the modules at hand were not strong enough for."""
    short = sum(not entry.sufficient for entry in ledger)
    print(f"{len(ledger)} operations, {short} of them on a module that is not strong enough.")
