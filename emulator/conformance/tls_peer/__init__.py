"""The tester as a peer in TLS: a client and a server that can do each wrong thing.

tlslite-ng writes the TLS (:mod:`emulator.bent_tls`); it is an extra, so whoever imports this is
imported only if it is there (:mod:`emulator.conformance.cases`).

- :mod:`.outcome`    how a handshake ended, and what was agreed upon
- :mod:`.offer`      what the device declares: suites, curves, signature algorithms, versions
- :mod:`.hello`      ClientHellos, and changing them
- :mod:`.papers`     certificates of the tester, good and bad
- :mod:`.client`     calls the device
- :mod:`.server`     is called by the device
- :mod:`.triggering` makes the device call
- :mod:`.under`      DLMS inside the session
- :mod:`.expecting`  what may come of it
"""

import emulator.bent_tls  # noqa: F401  # before anything imports tlslite
