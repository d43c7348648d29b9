"""Pictures that need answers: loads, before and after, maps, plots."""
