"""An assembly drawn with its equal parts folded, from the plan alone."""
