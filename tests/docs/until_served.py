"""Runs `arcferry serve` on a terminal until it says where it is to be found, then ends it.

python until_served.py arcferry serve OPTIONS
"""

import os
import pty
import signal
import subprocess
import sys

WORDS = b"Open this once"

terminal, its_end = pty.openpty()
line = [sys.executable, "-m", *sys.argv[1:]]
process = subprocess.Popen(line, stdin=its_end, stdout=its_end, stderr=its_end)
os.close(its_end)
printed = b""
while WORDS not in printed:
    printed += os.read(terminal, 4096)  # an error, where the command has ended without a word
process.send_signal(signal.SIGTERM)  # Ctrl-C is ignored beneath a shell's background job
sys.exit(0 if process.wait() == 130 else 1)
