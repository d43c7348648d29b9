"""`python -m unifiedbus_dsl`: the same as `ubusc`."""

import sys

from unifiedbus_dsl.cli import main

if __name__ == "__main__":
    sys.exit(main())
