"""Which checks are meant."""

from __future__ import annotations

import pytest

from emulator.conformance import UnknownCheck, built_in
from emulator.conformance.catalogue.selecting import chosen


def test_patterns() -> None:
    catalogue = built_in()

    def ids(*patterns: str) -> list[str]:
        return [check.id for check in chosen(catalogue, patterns)]

    assert len(ids()) == len(catalogue)
    assert ids("appl_open_1?") == ["APPL_OPEN_11", "APPL_OPEN_12", "APPL_OPEN_13", "APPL_OPEN_14"]
    assert ids("APPL_OPEN_3", "APPL_OPEN_1", "appl_open_3") == ["APPL_OPEN_1", "APPL_OPEN_3"]
    assert ids("hdlc") == [check.id for check in catalogue.of_group("hdlc")]
    assert ids("NO_SUCH_*") == []
    assert ids("appl/APPL_OPEN_1") == ["APPL_OPEN_1"]
    assert ids("hdlc/APPL_OPEN_1") == []
    with pytest.raises(UnknownCheck, match="no check 'NO_SUCH'"):
        ids("NO_SUCH")
