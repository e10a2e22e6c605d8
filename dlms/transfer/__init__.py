"""Long values in pieces: between the APDUs and the associations.

- :mod:`dlms.transfer.client`, :mod:`dlms.transfer.server`  GET, SET and ACTION in blocks
- :mod:`dlms.transfer.names_client`, :mod:`dlms.transfer.names_server`  Read and Write in blocks
- :mod:`dlms.transfer.general`  any APDU in general blocks
- :mod:`dlms.transfer.pieces`   how values are cut, and what bounds that
"""
