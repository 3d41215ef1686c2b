"""Starts programs that must not outlive the process that started them."""

import sys

# PR_SET_PDEATHSIG is 1: on Linux the program is killed when the thread that started it ends.
LAUNCHER = (
    [
        sys.executable,
        "-S",
        "-c",
        "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execvp(sys.argv[1], sys.argv[1:])",
    ]
    if sys.platform == "linux"
    else []
)
