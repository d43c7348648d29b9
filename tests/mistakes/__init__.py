"""Natural mistakes with what they should be told."""
