"""What meters keep over the end of their host, however it comes.

- :mod:`~emulator.memory.meter_memory`   what one meter remembers, and that it is kept before it
  answers; :class:`~emulator.memory.meter_memory.Passing` keeps nothing beyond the process
- :mod:`~emulator.memory.kept_memories`  those that are kept in a folder
- :mod:`~emulator.memory.store`          states and keys, in SQLite
- :mod:`~emulator.memory.sections`       how each part of a state is written down
- :mod:`~emulator.memory.storage_keys`   the keys under which keys are stored
- :mod:`~emulator.memory.kept_counters`  invocation counters and spent keys, in a journal
"""
