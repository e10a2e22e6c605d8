"""The key store: Secret Key Material of the DCC side, wrapped, one row per version of a key.

- :mod:`~emulator.keystore.states`  the life of a key, as a table
- :mod:`~emulator.keystore.rows` and :mod:`~emulator.keystore.store`  rows, and what is done to them
- :mod:`~emulator.keystore.known` and :mod:`~emulator.keystore.handed`  what the head end asks
- :mod:`~emulator.keystore.wrapping`  wrapping keys of the store, and another one instead
- :mod:`~emulator.keystore.importing`  keys that come in a file
- :mod:`~emulator.keystore.lasting`  keys that a Cryptographic Module keeps outside of itself
- :mod:`~emulator.keystore.holds`  one hand at a time on the keys of a meter
"""
