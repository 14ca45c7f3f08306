"""Files that are whole or not there at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from backproof.ir.errors import BackproofError


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file under a temporary name first, then renames it: it is whole or not there. Raises BackproofError.

    A link is followed, an existing file keeps its permissions, and what is no regular file (a pipe, a device) is
    written to as it is.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes files that only the owner may read; a new result gets the permissions of any new file.
        mask = os.umask(0)
        os.umask(mask)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~mask
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)  # or the new name could be on the disk before what it names
            os.chmod(name, mode)
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BackproofError(f"{path} cannot be written", why=f"{error.strerror or error}.") from error
