"""The DLMS/COSEM protocol, sans-IO.

Read it in the way data goes:

- :mod:`dlms.framing`      octets of a stream to APDUs and back
- :mod:`dlms.acse`         the APDUs that open and close an Application Association
- :mod:`dlms.xdlms`        the APDUs that carry services
- :mod:`dlms.axdr`         the data inside them
- :mod:`dlms.security`     what protects them; cryptography is an effect
- :mod:`dlms.association`  the state machine that both ends share
- :mod:`dlms.client`       what a client says to a meter, whatever the transport
- :mod:`dlms.cosem`        what the data means: interface classes and names

Clauses are those of the Green Book (DLMS UA 1000-2) Ed. 8 and the Blue Book (DLMS UA 1000-1), "GB"
and "BB" for short.
"""
