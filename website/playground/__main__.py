"""`python -m website.playground -o DIR`."""

from website.playground.build import main

main()
