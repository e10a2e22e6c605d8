"""Our own head end as a command, with one mistake: a lost answer to a change of keys is taken for a
change that was not made.

    python stubborn_head_end.py {task} {material} COUNTERS
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from emulator.client import Keys
from emulator.conformance.hostile import own


class Stubborn(own.OwnHeadEnd):
    async def _which(self, candidates: Mapping[str, Keys]) -> str:
        return "as before"


if __name__ == "__main__":
    own.OwnHeadEnd = Stubborn  # type: ignore[misc]
    sys.exit(own.main(sys.argv[1:]))
