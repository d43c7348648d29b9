"""The words that the language knows: attributes, signatures, limits. Tables without code."""
