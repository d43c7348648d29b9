"""The command line, `ubusc`. Commands import what they need when they run, so that `--help` is quick."""

from unifiedbus_dsl.cli.app import main

__all__ = ["main"]
