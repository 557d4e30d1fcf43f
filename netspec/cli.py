"""The command line: finds a command by the name of its module, and imports only that."""

from __future__ import annotations

import gc
import os
import sys

from . import __version__
from .diagnostics import SpecError, nearest, printable
from .plugins import Folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from types import ModuleType
    from typing import NoReturn

commands = Folder("netspec.commands", "netspec.commands")

ABOUT = """\
Networks as data, checked for every size, lowered to PyTorch, drawn.

commands:
{commands}

examples:
  netspec check zoo:resnet50
  netspec check net.yaml --at H=224,W=224
  netspec explain Convolution

`netspec COMMAND --help` says more."""


def run() -> NoReturn:
    """Run the command line of this process and end it."""
    code = main(sys.argv[1:])
    if sys.gettrace() is None and sys.getprofile() is None:
        os._exit(code)  # everything is written: what is left is freeing memory, object by object
    sys.exit(code)


def main(argv: Sequence[str]) -> int:
    """Run one command; return 0 for clean, 1 for findings, 2 for wrong usage or a bug."""
    collecting = gc.isenabled()
    gc.disable()  # a run is short, and its graphs live until the end
    _open_streams()
    try:
        code = _outcome(argv)
        sys.stdout.flush()
        sys.stderr.flush()
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        _silence()
        code = 141
    except OSError as error:  # of a stream: what reads and writes files knows their names
        _silence()
        print(f"netspec: cannot write: {error.strerror or error}", file=sys.stderr)  # noqa: T201
        code = 2
    except MemoryError as error:
        _forget(error)
        _silence()
        print("netspec: there is not enough memory for this", file=sys.stderr)  # noqa: T201
        code = 2
    except Exception as error:
        if os.environ.get("NETSPEC_DEBUG"):
            raise
        said = printable(str(error).partition("\n")[0])[:500]
        print(  # noqa: T201
            f"internal error: {type(error).__name__}: {said}\nNETSPEC_DEBUG=1 shows the traceback",
            file=sys.stderr,
        )
        code = 2
    finally:
        if collecting:
            gc.enable()
    return code


def _outcome(argv: Sequence[str]) -> int:
    try:
        return _dispatch(argv)
    except SystemExit as stop:  # argparse ends so
        return stop.code if isinstance(stop.code, int) else 2
    except SpecError as error:
        print(error, file=sys.stdout)  # noqa: T201
        return 1


def _open_streams() -> None:
    """Make every stream take any text; one that is closed takes it nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - open until the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _dispatch(argv: Sequence[str]) -> int:
    name = argv[0] if argv else "--help"
    if name in ("-h", "--help", "help") and len(argv) < 2:
        print(about(), end="\n")  # noqa: T201
        return 0 if argv else 2
    if name == "help":
        return _dispatch([argv[1], "--help"])
    if name in ("-V", "--version"):
        print(f"netspec {__version__}")  # noqa: T201
        return 0
    module = None if name.startswith(("-", "_")) else commands.find(name)
    if module is None:
        near = nearest(name, list(commands))
        hint = f"did you mean `netspec {near}`?" if near else "`netspec --help` lists the commands"
        what = "option" if name.startswith("-") else "command"
        print(  # noqa: T201
            f"netspec: unknown {what} `{printable(name)[:80]}`: {hint}", file=sys.stderr
        )
        return 2
    code: int = module.run(_options(name, module, argv[1:]))
    return code


def _options(name: str, module: ModuleType, argv: Sequence[str]) -> Namespace:
    """Return the options of a command; without any, argparse is not even imported."""
    plain = getattr(module, "plain", None)
    if plain is not None and argv and not any(arg[:1] == "-" and arg != "-" for arg in argv):
        known: Namespace = plain(argv)
        return known
    from argparse import ArgumentParser, RawDescriptionHelpFormatter

    def form(prog: str) -> RawDescriptionHelpFormatter:
        # a width of its own spares argparse the search for the terminal's
        return RawDescriptionHelpFormatter(prog, max_help_position=28, width=96)

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            super().error(printable(message)[:1_000])

    parser = Parser(
        prog=f"netspec {name}", description=module.__doc__, formatter_class=form,
        allow_abbrev=False,
    )  # fmt: skip
    module.arguments(parser)
    return parser.parse_args(argv)


def about() -> str:
    """Return what `netspec --help` says."""
    rows = []
    for stem in commands:
        module = commands.find(stem)
        rows.append(f"  {stem.rstrip('_'):<10}{_summary(module)}")
    return f"usage: netspec COMMAND ...\n\n{ABOUT.format(commands=chr(10).join(rows))}"


def _summary(module: ModuleType | None) -> str:
    first = ((module and module.__doc__) or "").strip().partition("\n")[0]
    return first.partition(": ")[2] or first


def _forget(error: BaseException) -> None:
    """Let go of all that was made: the tracebacks of an error hold it."""
    held: BaseException | None = error
    while held is not None:
        held.__traceback__ = None
        held = held.__context__
    gc.collect()


def _silence() -> None:
    # what is still buffered has no reader; the interpreter must not try again at its end
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
