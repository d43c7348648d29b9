"""The words that the language knows: attributes, signatures, limits; what other tools call them. Tables, no code."""
