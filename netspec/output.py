"""atomic_write: a file is there whole, or as it was before."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from . import codes
from .diagnostics import Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

PREFIX = ".netspec-"
SUFFIX = ".tmp"


def atomic_write(path: str, data: bytes | str, force: bool = False) -> None:
    """Write a file beside its place and move it there; without `force` nothing is replaced.

    Whatever fails, what was there before is untouched. Raises SpecError (E505, E506).
    """
    raw = data.encode() if isinstance(data, str) else data
    target, mode = _target(path, force)
    folder = os.path.dirname(target)
    _clean(folder)
    temp = os.path.join(folder, f"{PREFIX}{os.getpid()}-{os.urandom(8).hex()}{SUFFIX}")
    made = False
    try:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        for flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):
            flags |= getattr(os, flag, 0)
        handle = os.open(temp, flags, 0o666)
        made = True
        try:
            view = memoryview(raw)
            while view:
                view = view[os.write(handle, view) :]
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(handle, mode)
            os.fsync(handle)
        finally:
            os.close(handle)
        if force:
            os.replace(temp, target)
            made = False
        else:
            made = _move_new(temp, target)
        _sync(folder)
    except FileExistsError:
        _refuse(path, "it is there already", "--force replaces it")
    except OSError as error:
        reason = error.strerror or str(error)
        Report().fatal(codes.CannotWrite, None, file=path, reason=reason)
    finally:
        if made:
            _remove(temp)


def _target(path: str, force: bool) -> tuple[str, int | None]:
    """Return where a path leads, and the mode of the file that is there."""
    if not path or not path.isprintable():
        _refuse(path, "it has no name" if not path else "its name cannot be printed")
    if path.endswith(("/", os.sep)) or os.path.basename(path) in (".", ".."):
        _refuse(path, "it names a folder")
    target = os.path.realpath(path)
    try:
        there = os.stat(target)
    except OSError:
        return target, None  # nothing there, or it shows when writing
    if not stat.S_ISREG(there.st_mode):
        _refuse(path, "it is a folder" if stat.S_ISDIR(there.st_mode) else "it is no regular file")
    if not force:
        _refuse(path, "it is there already", "--force replaces it")
    return target, stat.S_IMODE(there.st_mode) & 0o777


def _refuse(path: str, reason: str, hint: str = "") -> NoReturn:
    Report().fatal(codes.BadOutputName, None, file=path, reason=reason, hint=hint)


def _move_new(temp: str, target: str) -> bool:
    """Move a file where none is yet; return whether the old name is still there."""
    try:
        os.link(temp, target)
    except FileExistsError:
        raise
    except (AttributeError, OSError):  # no hard links here
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        os.rename(temp, target)
        return False
    return True


def _sync(folder: str) -> None:
    """Make a rename durable, where folders can be synced."""
    try:
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError:
        return
    try:
        with suppress(OSError):  # the file is in place, and not every folder can be synced
            os.fsync(handle)
    finally:
        os.close(handle)


def _clean(folder: str) -> None:
    """Remove what writers that were killed left behind."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.startswith(PREFIX) and name.endswith(SUFFIX):
            owner = name[len(PREFIX) : -len(SUFFIX)].partition("-")[0]
            if owner.isdecimal() and not _alive(int(owner)):
                _remove(os.path.join(folder, name))


def _alive(process: int) -> bool:
    if os.name == "nt" or process == 0:
        return True  # there, asking could end it
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass
    return True


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
