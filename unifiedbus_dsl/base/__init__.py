"""What every room may use: sources, units, arrays, random orders, progress, work limits, files beside their place."""
