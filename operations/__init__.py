"""What cannot be declared: commands for the moments before, between and after updates. `python -m operations --help`"""

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
"""Folder of the project, and of the stacks' configuration files."""

if str(PROJECT / "components") not in sys.path:  # a distribution of its own, used here in place
    sys.path.insert(0, str(PROJECT / "components"))
