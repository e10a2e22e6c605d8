"""Mistakes that are planted in the meter, to see whether the fuzzer finds them, and how soon.

- :mod:`emulator.fuzz.gallery.bug`  one of them, and ``bugs.toml`` all
- :mod:`emulator.fuzz.gallery.measuring`  hunts for them, and one on a meter that has none
- :mod:`emulator.fuzz.gallery.table`  what was measured, for people
"""
