"""What several formats need: names, groups, servers, streams."""
