"""The commands by name, for help, completion and manual pages: a table, so that none need be loaded for it."""

from __future__ import annotations

COMMANDS = {
    "compile": "Check a file, build its machines, write them and sum them up.",
    "check": "Check files without writing anything.",
    "analyze": "Answer the questions of a file, or print a datasheet.",
    "survey": "Let every part fail, one by one or many at random, and say what is left.",
    "explore": "Vary parameters of a system, and find the designs that are best.",
    "render": "Draw a machine: folded, device by device, or on its floor.",
    "export": "Write a machine in a format of another tool.",
    "import": "Read a machine that another tool has written.",
    "diff": "Compare two machines, or a design with what was found.",
    "fmt": "Lay files out the one way.",
    "explain": "Explain an error, with a wrong and a right example.",
    "help": "Read the manual of the language.",
    "watch": "Check and draw a file at each save, in a page that follows.",
    "lsp": "Serve an editor over the language server protocol.",
    "completion": "Print what bash, zsh or fish reads to complete the command line.",
    "man": "Print the manual page of a command.",
}
"""What each command does, in a line: said here, so that `--help` need not load them all."""
