"""Types, their parts and fields, with arguments filled in."""
