"""Lets the modules of this folder be imported as `nn.…`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))
