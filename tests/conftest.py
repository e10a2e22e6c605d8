"""For all tests: what they must not depend on."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

# How long an example takes, or to draw one: the machine is shared.
UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("exploring", **UNTIMED)
# Luck: what passed once on the same code passes again. `make explore` tries its luck.
settings.register_profile("settled", derandomize=True, database=None, **UNTIMED)
settings.load_profile("exploring" if os.environ.get("COSEMLAB_EXPLORE") else "settled")

# Who has started them: a shell ignores SIGINT for what it puts into the background, and the
# commands that tests start and interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
