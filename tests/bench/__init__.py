"""What a large machine costs, beside other ways to the same edges: `python -m tests.bench` prints the table."""
