"""What a machine learner sees of an association, and whether that is the table it runs by."""
