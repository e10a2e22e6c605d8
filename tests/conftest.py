"""For all tests: what they must not depend on."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

# How long an example takes: the machine is shared.
settings.register_profile("exploring", deadline=None)
# Luck: what passed once on the same code passes again. `make explore` tries its luck.
settings.register_profile("settled", deadline=None, derandomize=True, database=None)
settings.load_profile("exploring" if os.environ.get("COSEMLAB_EXPLORE") else "settled")

# Who has started them: a shell ignores SIGINT for what it puts into the background, and the
# commands that tests start and interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
