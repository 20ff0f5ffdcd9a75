"""A file is replaced in one step, so that it is whole at any time: the old one, or the new one."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Put a file with these contents in place of what stands there, or of nothing, with the old one's mode.

    A link is replaced as well, never written through. Raises OSError.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".momus-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        if path.exists():
            shutil.copymode(path, name)
        else:
            mask = os.umask(0)
            os.umask(mask)
            Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
