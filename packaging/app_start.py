"""Run by the built app before the program: the copied libraries are found beside the frozen part."""

import os
import sys

sys.path.append(os.path.join(sys._MEIPASS, "libraries"))  # type: ignore[attr-defined]
