"""Text in other languages: a module for each target says how a text stands there as itself, and can be nothing else.

What a file says (names, types, media, links, documentation) is text, never a part of the language that it is written
into. Exporters, pictures, pages and messages take their quotes from here and from nowhere else.
"""
