"""For all tests: what they must not depend on."""

from __future__ import annotations

import signal

from hypothesis import settings

# How long an example takes: the machine is shared.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Who has started them: a shell ignores SIGINT for what it puts into the background, and the
# commands that tests start and interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
