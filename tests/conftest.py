"""Settings of the whole run, made before anything is imported that reads them."""

from __future__ import annotations

import os

# The tests' tensors are small. With a thread per core, each waits for the other in a busy loop, and
# where something else wants the cores the run takes a hundred times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
