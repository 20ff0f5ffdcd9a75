"""The builders and doubles beside these tests can be imported by name, whatever pytest's import mode."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "output")]
