"""atomic_write: files are there whole, or as they were before."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from . import codes
from .diagnostics import Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

PREFIX = ".netspec-"
SUFFIX = ".tmp"


def atomic_write(path: str, data: bytes | str, force: bool = False) -> None:
    """Write a file beside its place and move it there; without `force` nothing is replaced.

    Whatever fails, what was there before is untouched. Raises SpecError (E505, E506).
    """
    atomic_write_all({path: data}, force)


def atomic_write_all(files: Mapping[str, bytes | str], force: bool = False) -> None:
    """Write several files beside their places, then move them there.

    Whatever fails, what was there before is there again. A process that is killed among the moves
    leaves some files old and some new, each of them whole. Raises SpecError (E505, E506).
    """
    staged: list[tuple[str, str, str]] = []  # path, where it leads, the file beside it
    moved: list[tuple[str, str]] = []  # where a new file is, and the name of the one before it
    temps: list[str] = []
    path = ""
    try:
        for path, data in files.items():
            target, mode = _target(path, force)
            folder = os.path.dirname(target)
            _clean(folder)
            temps.append(_beside(folder))
            _stage(temps[-1], data.encode() if isinstance(data, str) else data, mode)
            staged.append((path, target, temps[-1]))
        for path, target, temp in staged:  # noqa: B007 - a failure is told of the last path
            old = _keep(target, temps) if force and len(files) > 1 else ""
            if force:
                os.replace(temp, target)
            else:
                _move_new(temp, target)
            moved.append((target, old))
        for folder in dict.fromkeys(os.path.dirname(target) for target, _ in moved):
            _sync(folder)
    except BaseException as error:
        if len(files) > 1:
            _undo(moved)
        if isinstance(error, FileExistsError):
            _refuse(path, "it is there already", "--force replaces it")
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            Report().fatal(codes.CannotWrite, None, file=path, reason=reason)
        raise
    finally:
        for temp in temps:
            _remove(temp)


def refuse_input(output: str, read: str) -> None:
    """Refuse an output that is the file which is read, by whatever name. Raises SpecError E506."""
    with suppress(OSError, ValueError):
        if os.path.samefile(output, read):
            _refuse(output, "it is the file that is read")


def _beside(folder: str) -> str:
    return os.path.join(folder, f"{PREFIX}{os.getpid()}-{os.urandom(8).hex()}{SUFFIX}")


def _stage(temp: str, data: bytes, mode: int | None) -> None:
    """Write a file that is not there yet, down to the disk."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    for flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, flag, 0)
    handle = os.open(temp, flags, 0o666)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        if mode is not None and hasattr(os, "fchmod"):
            os.fchmod(handle, mode)
        os.fsync(handle)
    finally:
        os.close(handle)


def _keep(target: str, temps: list[str]) -> str:
    """Return another name for the file that is at `target`; none where none is."""
    if not os.path.lexists(target):
        return ""
    temps.append(_beside(os.path.dirname(target)))
    try:
        os.link(target, temps[-1])
    except (AttributeError, OSError):  # no hard links here
        with open(target, "rb") as handle:
            _stage(temps[-1], handle.read(), stat.S_IMODE(os.stat(target).st_mode) & 0o777)
    return temps[-1]


def _undo(moved: list[tuple[str, str]]) -> None:
    for target, old in reversed(moved):
        with suppress(OSError):
            if old:
                os.replace(old, target)
            else:
                os.unlink(target)


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


def _move_new(temp: str, target: str) -> None:
    """Move a file where none is yet."""
    try:
        os.link(temp, target)
    except FileExistsError:
        raise
    except (AttributeError, OSError):  # no hard links here
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        os.rename(temp, target)


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
