"""The version, written once; a module of its own because looking it up in package metadata costs 20 ms."""

VERSION = "0.1.0"
