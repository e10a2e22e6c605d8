"""Which lines of the protocol core the fuzzers reach, and what is to be said of the others."""
