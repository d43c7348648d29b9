"""Questions of a text, held against the machine that they are of: expectations, scenarios, views."""
