"""Campaigns: new keys for all meters, one key at a time for each, until every meter has them.

- :mod:`~emulator.rotation.campaigns`  what is planned and how far it is, in the database
- :mod:`~emulator.rotation.planning`  which keys of which meters
- :mod:`~emulator.rotation.runner`  carries it out, and goes on with what was broken off
"""
