"""Lets the modules of this folder be imported as `zoo.…`: by their bare names one would hide Python's statistics."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))
