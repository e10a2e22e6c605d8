"""TLS 1.2 channels between parties that know each other by DLMS system title.

Nothing here speaks DLMS, and nothing here writes TLS: OpenSSL does, through :mod:`ssl`.

- :mod:`tls.identity`     the system title inside a certificate
- :mod:`tls.credentials`  a certificate chain with its key; what a party trusts
- :mod:`tls.pki`          a certification authority for tests
- :mod:`tls.contexts`     the one TLS policy, as ``ssl`` contexts
- :mod:`tls.external_key` contexts whose private key is elsewhere, where the platform can do that
- :mod:`tls.events`       what a handshake leaves behind, good or bad
- :mod:`tls.transport`    asyncio servers and connections over TLS
- :mod:`tls.plain`        the same over plain TCP
"""
