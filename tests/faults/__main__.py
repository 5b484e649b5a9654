"""``python -m faults``: the full matrix."""

import sys

from faults.matrix import main

sys.exit(main(sys.argv[1:]))
