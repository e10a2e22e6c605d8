"""A TLS stack that can be bent: tlslite-ng, without threads, with hooks for what it sends.

For testers and for meters that are wrong on purpose; nobody's secrets are safe with it. tlslite-ng
is an extra (``pip install cosemlab[conformance]``): import nothing of here before it is needed.

- :mod:`emulator.bent_tls.wire`        octets between asyncio and tlslite
- :mod:`emulator.bent_tls.bend`        what is to be done otherwise than it should be
- :mod:`emulator.bent_tls.connection`  a connection that does it, and tells what comes
- :mod:`emulator.bent_tls.showing`     certificates and keys in tlslite's form
"""

import warnings

with warnings.catch_warnings():
    # It offers itself to modules of the standard library that Python 3.12 has no more, and who
    # tests with warnings as errors could not import it.
    warnings.simplefilter("ignore", DeprecationWarning)
    import tlslite as _tlslite  # noqa: F401
