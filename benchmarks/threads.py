"""How many threads every library may use, as ``--threads`` says: imported before any of them, which look once."""

from __future__ import annotations

import os
import sys
import time


def _asked(words: list[str]) -> int:
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--threads":
            return int(following)
        if word.startswith("--threads="):
            return int(word.partition("=")[2])
    return 1


COUNT = _asked(sys.argv)
LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

os.environ |= dict.fromkeys(LIBRARIES, str(COUNT))
os.environ |= {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1", "BACKPROOF_CACHE": ""}  # the time of compiling is told too
if COUNT == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-COUNT:])  # JAX asks nobody how many threads it may use

now = time.process_time if COUNT == 1 else time.perf_counter
"""Seconds: of the processor for one thread, so that what else runs does not count; on the clock for several."""
