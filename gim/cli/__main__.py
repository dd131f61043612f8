"""``python -m gim.cli``."""

import sys

from gim.cli import main

sys.exit(main())
