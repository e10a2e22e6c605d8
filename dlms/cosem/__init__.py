"""What the data means: interface classes as tables, logical names."""
