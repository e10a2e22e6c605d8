"""A TLS server and a TLS client that are careless: what OpenSSL will not do wrong, tlslite-ng can
be made to do. They stand in the place of a meter's TLS and serve what is inside.

tlslite-ng is an extra: this is imported when a fault begins that needs it.
"""

import emulator.bent_tls  # noqa: F401  # before anything imports tlslite
