"""The harnesses, a module for each family: its name stands before the dot of theirs."""
