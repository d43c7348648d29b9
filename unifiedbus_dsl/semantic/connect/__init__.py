"""Connect statements as index rules."""
