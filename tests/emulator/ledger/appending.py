"""A process that appends to a ledger: ``appending.py URL NAME COUNT FLUSH``.

It writes COUNT entries whose device is NAME and says ``number`` after each FLUSH of them that last.
"""

from __future__ import annotations

import sys

from emulator.database import Database
from emulator.ledger import Ledger, Outcome
from emulator.ledger.store import LedgerStore
from emulator.ledger.writer import Writer
from emulator.policy import LETTER, Actor, Category, Purpose, Question, decide

QUESTION = Question(actor=Actor.S1SP, purpose=Purpose.OTHER, category=Category.CATEGORY_2, keys=())


def main(url: str, name: str, count: int, flush: int) -> None:
    with Writer(LedgerStore(Database(url))) as writer:
        ledger = Ledger(sink=writer)
        for number in range(1, count + 1):
            ledger.append(
                actor=QUESTION.actor,
                device=name,
                category=QUESTION.category,
                operation=str(number),
                purpose=QUESTION.purpose,
                keys=(),
                decision=decide(QUESTION, LETTER),
                module="software",
                emulated=False,
                sufficient=True,
                outcome=Outcome.DONE,
                edition="letter",
                mode="observe",
            )
            if number % flush == 0:
                ledger.flush()
                print(number, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
