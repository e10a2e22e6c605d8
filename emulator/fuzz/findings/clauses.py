"""What an invariant asks for, and where it comes from."""

from __future__ import annotations

from typing import NamedTuple


class Clause(NamedTuple):
    """``says`` is what must be; ``source`` the clause of the Green Book Ed. 8 (GB), or whose
    decision it is where the books leave it open.
    """

    says: str
    source: str


CLAUSES: dict[str, Clause] = {
    "I1": Clause(
        "No key protects two different inputs with the same initialization vector, ever: not after"
        " a restart, not after a rotation, not once as GCM and once as GMAC.",
        "GB 9.2.3.3.7.3; NIST SP 800-38D, 8",
    ),
    "I2": Clause(
        "The lowest counter that is accepted only grows, but for a key that is new.",
        "GB 9.2.3.3.7.3, 9.2.2.5",
    ),
    "I3": Clause(
        "What is refused, or does not verify, leaves the meter as it was.", "GB 9.2.2.5, 9.2.7.2.2"
    ),
    "I4": Clause(
        "Keys and their counters are always those of one change, never half of it: also when the"
        " power fails.",
        "GB 9.2.5.4; atomicity is a decision, the books are silent",
    ),
    "I5": Clause("No key is on the line in clear.", "a decision: canary keys are looked for"),
    "I6": Clause(
        "After anything whatever a legitimate client gets in, and the meter needs no more memory"
        " than it has.",
        "a decision: liveness",
    ),
    "I7": Clause(
        "Nothing is done for who has no association, or has not shown yet who it is.",
        "GB 9.2.2.2.2.4",
    ),
    "I8": Clause(
        "What was accepted once is not done twice.", "GB 9.2.3.3.7.3; Blue Book, token gateway"
    ),
    "CRASH": Clause(
        "Whatever comes, there is an answer, or there is none.", "a decision: liveness"
    ),
    "R-AA": Clause(
        "Associations are those that the meter is configured for, and end with their connection.",
        "GB 4.3.4, Figure 64",
    ),
    "R-HLS": Clause(
        "Four passes with fresh random challenges, each answered by who has the key.",
        "GB 9.2.2.2.2.4, Table 42",
    ),
    "R-SC": Clause(
        "The security control octet names the suite and keys of the association.", "GB Table 37"
    ),
    "R-PROT": Clause(
        "A message is protected at least as the policy and the access rights ask, and processed"
        " only if it verifies.",
        "GB 9.2.2.5, 9.2.7.2.2",
    ),
    "R-IC": Clause(
        "One counter for each encryption key and direction; it begins at 0 with the key, is never"
        " used twice, moves only for what verifies, and ends before it would wrap.",
        "GB 9.2.3.3.7.3, 9.2.2.5",
    ),
    "R-KEY": Clause(
        "New keys come wrapped under the key encrypting key in force, all of them are taken or"
        " none, and the meter says which it was.",
        "GB 9.2.5.4; Blue Book, class 64",
    ),
    "H-VALUE": Clause(
        "A head end believes of a meter what the meter has.", "a decision: what it is there for"
    ),
    "H-TAKEN": Clause(
        "A head end takes no answer that does not verify, is not fresh, or is to another request.",
        "GB 9.2.2.5, 9.2.3.3.7.3, 9.3.3",
    ),
    "H-GOES-ON": Clause(
        "A head end asks for nothing in an association with who has not shown to be the meter, or"
        " has offered less than was asked for.",
        "GB 9.2.2.2.2.4, 9.3.2",
    ),
    "H-KEYS": Clause(
        "After a change of keys a head end knows which ones the meter has, or says that it does"
        " not: also when the answer was lost.",
        "GB 9.2.5.4; a decision, the books are silent on lost answers",
    ),
    "H-CREDIT": Clause(
        "One top-up is one credit, and what a head end says of it is so: also when the answer was"
        " lost.",
        "Blue Book 4.6.3; exactly-once credit is a decision",
    ),
    "H-JUMP": Clause(
        "What nobody has authenticated does not move a head end's counter to its end.",
        "GB 9.2.3.3.7.3; a decision",
    ),
    "H-ENDS": Clause(
        "Whatever a meter does, a task comes to an end in its time.", "a decision: liveness"
    ),
    "KL-TL": Clause(
        "A channel is as good as the certificates that it was made with, also when it is resumed.",
        "RFC 5246, F.1.4; RFC 5280, 6",
    ),
}
"""By invariant, or by what several begin with."""


def clause_of(invariant: str) -> Clause | None:
    """``None`` for one that nobody has written anything about."""
    parts = invariant.split("-")
    for length in range(len(parts), 0, -1):
        found = CLAUSES.get("-".join(parts[:length]))
        if found is not None:
            return found
    return None
