"""The ledger for people: what was done, which class it needed, why, how often."""

from __future__ import annotations

from dlms.security.keys import KeyKind
from emulator.cli.output import print_table
from emulator.ledger import Group, Ledger
from emulator.policy import Category, ModuleClass, Purpose

_HEADER = ("needs", "clause", "who", "device", "for", "key", "enough", "operations")

CLASS_TEXTS = {
    ModuleClass.LEVEL_3: "Level 3",
    ModuleClass.G2_45: "G2.45",
    ModuleClass.NONE: "nothing",
}
PURPOSE_TEXTS = {
    Purpose.GENERATE_ADD_CREDIT_COMMAND: "add-credit Command",
    Purpose.GENERATE_INSTRUCTION: "Instruction",
    Purpose.PROCESS_RESPONSE: "response",
    Purpose.ESTABLISH_ASSOCIATION: "association",
    Purpose.ESTABLISH_TLS: "TLS",
    Purpose.TRANSFER_KEY: "key transfer",
    Purpose.STORE_ENCRYPTED_KEY: "key storage",
    Purpose.OTHER: "other",
}
CATEGORY_TEXTS = {Category.CATEGORY_1: "Cat 1", Category.CATEGORY_2: "Cat 2", None: "not SMETS1"}


def print_ledger(ledger: Ledger) -> None:
    """The table of groups, then one reason for each clause."""
    rows = [
        (
            CLASS_TEXTS[group.module_class],
            group.clause,
            group.actor.value,
            CATEGORY_TEXTS[group.category],
            PURPOSE_TEXTS[group.purpose],
            key_text(group.deciding),
            _enough(group),
            ", ".join(f"{name} {count}" for name, count in group.operations.items()),
        )
        for group in ledger.summary()
    ]
    print_table(rows, _HEADER)
    print()
    print("Why, with one example for each clause (--json has every operation with its reason):")
    reasons: dict[str, str] = {}
    for clause, why in ledger.reasons():
        reasons.setdefault(clause, why)
    print_table([(f"  {clause}", why) for clause, why in reasons.items()])


def print_shortfall(ledger: Ledger) -> None:
    """What the modules at hand were not strong enough for."""
    short = sum(not entry.sufficient for entry in ledger)
    print(f"{len(ledger)} operations, {short} of them on a module that is not strong enough.")
    if emulated := sum(entry.emulated for entry in ledger):
        print(f"{emulated} on a module that only plays one of its class.")


def _enough(group: Group) -> str:
    answer = "yes" if group.sufficient else "NO"
    return f"{answer}, emulated" if group.emulated else answer


def key_text(kind: KeyKind | None) -> str:
    if kind is None:
        return "-"
    return kind.name if kind.name in ("GUEK", "GBEK", "GAK", "KEK") else kind.value
