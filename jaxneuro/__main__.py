"""`python -m jaxneuro`: the same as the command `jaxneuro`."""

import sys

from jaxneuro.launch.command import main

if __name__ == "__main__":
    sys.exit(main())
