"""Head ends as the device under test: a meter of ours that misbehaves, and who calls it.

- :mod:`~emulator.conformance.hostile.head_end`  a command, or a callable, that does one task
- :mod:`~emulator.conformance.hostile.material`  what it is told: where, who, keys, what to read
- :mod:`~emulator.conformance.hostile.vice`  how a meter misbehaves; the rows are in vices.toml
- :mod:`~emulator.conformance.hostile.stage`  where a vice meets what goes in and out of the meter
- :mod:`~emulator.conformance.hostile.watch`  what the head end was seen to do
- :mod:`~emulator.conformance.hostile.facing`  one run of both, for conversations
- :mod:`~emulator.conformance.hostile.expecting`  what a head end may make of it
"""
