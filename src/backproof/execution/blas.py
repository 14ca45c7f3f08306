"""Where SciPy's matrix products are, for code that calls them itself."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import lru_cache

from backproof.emit.native.strided.products import ROUTINES


@lru_cache(maxsize=1)
def routines() -> Mapping[str, int]:
    """The address of each routine by its name. They take pointers to everything, and whole numbers of 32 bits."""
    # Here and not above: it takes long to import, and most code does without it.
    from scipy.linalg import cython_blas

    pointer, name = ctypes.pythonapi.PyCapsule_GetPointer, ctypes.pythonapi.PyCapsule_GetName
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    capsules = {routine: cython_blas.__pyx_capi__[routine] for routine in ROUTINES.values()}
    return {routine: pointer(capsule, name(capsule)) for routine, capsule in capsules.items()}
