"""The kinds of vices, a file for each place in which a meter misbehaves."""
