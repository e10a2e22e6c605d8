"""Head ends as targets: we are the meter, and misbehave as a lot says."""
