"""The machine that code is made for, and the compiler."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import llvmlite.binding as llvm


@dataclass(frozen=True, slots=True)
class Machine:
    """What generated code depends on.

    cpu        LLVM's name of the processor
    features   its instruction sets, as LLVM is told of them
    width      how many bytes a vector register has
    registers  how many vector registers there are
    nearest    how many bytes the nearest cache of each core holds
    cache      how many the next one holds
    """

    cpu: str
    features: str
    width: int
    registers: int
    nearest: int
    cache: int

    def lanes(self, size: int) -> int:
        """How many numbers of a size in bytes a vector register holds."""
        return self.width // size


@lru_cache(maxsize=1)
def host() -> Machine:
    """The machine that this runs on."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features()
    if features.get("avx512f") and features.get("avx512vl") and features.get("avx512dq"):
        width, registers = 64, 32
    elif features.get("avx2") and features.get("fma"):
        width, registers = 32, 16
    else:
        width, registers = 16, 32 if features.get("neon") else 16
    return Machine(llvm.get_host_cpu_name(), features.flatten(), width, registers, *_caches())


CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
"""Where Linux tells how large the caches are."""
SMALLEST = (32 << 10, 512 << 10)
"""How many bytes they hold where nobody tells: as few as those of most machines."""


def _caches() -> tuple[int, int]:
    """How many bytes the nearest cache of a core holds, and the next one."""
    found = dict(zip("12", SMALLEST, strict=True))
    for folder in CACHES.glob("index*"):
        try:
            level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if level in found and kind != "Instruction" and size.endswith("K"):
            found[level] = int(size[:-1]) << 10
    return found["1"], found["2"]


def target_machine(machine: Machine) -> llvm.TargetMachine:
    """LLVM's compiler for a machine."""
    triple = llvm.Target.from_default_triple()
    return triple.create_target_machine(cpu=machine.cpu, features=machine.features, opt=3, jit=True)


def object_code(text: str) -> bytes:
    """A module in LLVM's language as code for this machine."""
    machine = host()
    return target_machine(machine).emit_object(optimised(text, machine))  # type: ignore[no-any-return]


def optimised(text: str, machine: Machine) -> llvm.ModuleRef:
    """A module in LLVM's language, checked, without what is computed twice, and with short loops unrolled.

    Loops are written with vectors and in registers already: LLVM's other passes would take seconds and gain nothing.
    """
    # In a context of its own, which goes when the module does: the common one keeps all types and numbers for ever.
    module = llvm.parse_assembly(text, llvm.create_context())
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    builder = llvm.create_pass_builder(target_machine(machine), options)
    passes = llvm.create_new_module_pass_manager()
    passes.add_new_gvn_pass()
    passes.add_instruction_combine_pass()
    passes.add_loop_simplify_pass()
    passes.add_lcssa_pass()
    passes.add_loop_unroll_pass()
    passes.add_instruction_combine_pass()
    passes.run(module, builder)
    return module
