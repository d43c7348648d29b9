"""What a machine can be asked: `definitions` has a file for each measure, which registers it."""
