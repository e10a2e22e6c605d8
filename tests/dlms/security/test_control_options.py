"""What the security control octet may say where more is admitted than usual (R-SC-2, R-SC-4)."""

from __future__ import annotations

from itertools import product

import pytest

from dlms.errors import CodecError
from dlms.security.control import Protection, check_control


@pytest.mark.parametrize(("broadcast", "unprotected"), list(product((False, True), repeat=2)))
@pytest.mark.parametrize("suite", [0, 1, 2])
def test_every_control_octet(suite: int, broadcast: bool, unprotected: bool) -> None:
    """By hand: suite, no compression, Key_Set and no protection only where admitted."""
    for control in range(256):
        right = (
            control % 16 == suite
            and control < 128
            and (broadcast or not control & 64)
            and (unprotected or control & 48)
        )
        if right:
            found = check_control(control, suite, broadcast=broadcast, unprotected=unprotected)
            assert found == Protection(control & 48)
        else:
            with pytest.raises(CodecError):
                check_control(control, suite, broadcast=broadcast, unprotected=unprotected)
