"""Negative TLS. These need tlslite-ng, which is an extra; without it their checks cannot be judged
(:func:`emulator.conformance.cases.load`).
"""

import emulator.bent_tls  # noqa: F401  # before anything imports tlslite
