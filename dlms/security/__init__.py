"""Message protection, authentication, keys by reference; cryptography is an effect.

- :mod:`dlms.security.keys`      names of keys
- :mod:`dlms.security.ops`       the operations that a step may yield
- :mod:`dlms.security.control`   the security control octet and the security policy
- :mod:`dlms.security.counters`  invocation counters
- :mod:`dlms.security.ciphered`  the layout of ciphered APDUs
- :mod:`dlms.security.protect`   steps that protect and open APDUs
- :mod:`dlms.security.hls`       steps of HLS authentication

Security suites 1 and 2:

- :mod:`dlms.security.suites`              the table of suites
- :mod:`dlms.security.general_ciphering`   the layout of general-ciphering
- :mod:`dlms.security.general_protection`  steps that protect and open it
- :mod:`dlms.security.general_signing`     general-signing, layout and steps
- :mod:`dlms.security.message_keys`        the keys of single messages, and how they are chosen
  (:mod:`~dlms.security.key_choice`) and used once (:mod:`~dlms.security.spent_keys`)
- :mod:`dlms.security.layers`              all that may be around an APDU, one inside the other;
  :mod:`~dlms.security.overhead` knows how long it gets
- :mod:`dlms.security.key_agreement`       steps that agree global keys
"""
