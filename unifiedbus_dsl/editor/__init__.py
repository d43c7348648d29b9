"""What an editor asks of a text, answered by pure functions; `server` speaks the protocol."""
