"""The command: `headsmith`, or `python -m headsmith`."""

import sys

from . import _headsmith


def main() -> int:
    """Does what the command line asks for; gives the exit status."""
    return _headsmith.main(["headsmith", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
