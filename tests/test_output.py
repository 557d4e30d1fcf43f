"""atomic_write: whole or untouched, whatever fails."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from netspec import output
from netspec.diagnostics import SpecError
from netspec.output import atomic_write


def code(error):
    return error.value.diagnostics[0].code.id


def temps(folder):
    return [name for name in os.listdir(folder) if name.startswith(output.PREFIX)]


def test_writes_text_and_bytes(tmp_path):
    atomic_write(str(tmp_path / "a.py"), "x = 'ü'\n")
    atomic_write(str(tmp_path / "b.bin"), b"\x00\xff")
    assert (tmp_path / "a.py").read_bytes() == "x = 'ü'\n".encode()
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\xff"
    assert temps(tmp_path) == []


def test_replaces_only_when_forced(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(SpecError) as error:
        atomic_write(str(path), "new")
    assert code(error) == "E506"
    assert path.read_text() == "old"
    atomic_write(str(path), "new", force=True)
    assert path.read_text() == "new"


def test_a_file_that_appears_while_writing_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    fsync = os.fsync

    def appear(handle):
        path.write_text("theirs")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", appear)
    with pytest.raises(SpecError) as error:
        atomic_write(str(path), "ours")
    assert code(error) == "E506"
    assert path.read_text() == "theirs"
    assert temps(tmp_path) == []


def test_without_hard_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    atomic_write(str(tmp_path / "a.txt"), "x")
    assert (tmp_path / "a.txt").read_text() == "x"
    with pytest.raises(SpecError):
        atomic_write(str(tmp_path / "a.txt"), "y")
    assert temps(tmp_path) == []


def test_keeps_mode_and_link(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o640)
    (tmp_path / "link").symlink_to("a.txt")
    atomic_write(str(tmp_path / "link"), "new", force=True)
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("name", ["", "a\nb", "sub/", ".", "there"])
def test_refused_names(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    with pytest.raises(SpecError) as error:
        atomic_write(name, "x", force=True)
    assert code(error) == "E506"
    assert os.listdir(tmp_path) == ["there"]


def test_a_fifo_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SpecError) as error:
        atomic_write(str(tmp_path / "pipe"), "x", force=True)
    assert code(error) == "E506"


def test_a_missing_folder_is_e505(tmp_path):
    with pytest.raises(SpecError) as error:
        atomic_write(str(tmp_path / "no" / "a.txt"), "x")
    assert code(error) == "E505"


CALLS = ("open", "write", "fsync", "close", "replace", "link", "unlink")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("call", CALLS)
def test_a_failure_at_every_call_loses_nothing(tmp_path, monkeypatch, call, force, number):
    failed = 0
    for turn in range(1, 6):
        folder = tmp_path / str(turn)
        folder.mkdir()
        path = folder / "a.txt"
        if force:
            path.write_text("old")
        real, count = getattr(os, call), 0

        def fail(*args, real=real, turn=turn, **more):
            nonlocal count
            count += 1
            if count == turn:
                if call == "close":
                    real(*args, **more)
                raise OSError(number, os.strerror(number))
            return real(*args, **more)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            try:
                atomic_write(str(path), "new" * 1000, force=force)
            except SpecError as error:
                failed += 1
                assert error.diagnostics[0].code.id == "E505"
                # after the move only the folder is left to sync: both texts are whole
                assert not path.exists() or path.read_text() in ("old", "new" * 1000)
                assert path.exists() or not force
            else:
                assert path.read_text() == "new" * 1000
        assert len(temps(folder)) <= 1
    expected = {"replace": force, "link": False, "unlink": False}.get(call, True)
    assert (failed > 0) == expected


def test_short_writes_are_continued(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:7]))
    atomic_write(str(tmp_path / "a.txt"), "0123456789" * 10)
    assert (tmp_path / "a.txt").read_text() == "0123456789" * 10


def test_data_is_synced_before_the_move(tmp_path, monkeypatch):
    order = []
    for name in ("write", "fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *args, name=name, real=real: (order.append(name), real(*args))[1]
        )
    atomic_write(str(tmp_path / "a.txt"), "x", force=True)
    assert order == ["write", "fsync", "replace", "fsync"]


def test_a_killed_writer_leaves_the_old_file_and_its_temp_goes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    script = (
        "import os, time, netspec.output as o\n"
        "o.os.fsync = lambda handle: (print('in', flush=True), time.sleep(60))\n"
        f"o.atomic_write({str(path)!r}, 'new', force=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "in\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert path.read_text() == "old"
    assert len(temps(tmp_path)) == 1
    atomic_write(str(path), "new", force=True)
    assert path.read_text() == "new"
    assert temps(tmp_path) == []


def test_the_temp_of_a_living_writer_stays(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        mine = tmp_path / f"{output.PREFIX}{other.pid}-aa{output.SUFFIX}"
        mine.write_text("half")
        time.sleep(0.01)
        atomic_write(str(tmp_path / "a.txt"), "x")
        assert mine.exists()
    finally:
        other.kill()
        other.wait()


# several files at once

LAYERS_OF_OS = (
    "open", "write", "fsync", "close", "replace", "link", "unlink", "fchmod", "stat", "listdir",
    "rename",
)  # fmt: skip


def texts(folder):
    return {p.name: p.read_text() for p in folder.iterdir() if p.name[:9] != output.PREFIX}


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("force", [True, False])
def test_a_failure_of_any_call_leaves_all_files_old_or_all_new(
    tmp_path, monkeypatch, force, number, links
):
    def no_links(*_, **__):
        raise OSError(errno.EPERM, "no links here")

    failed = 0
    for turn in range(1, 200):
        folder = tmp_path / str(turn)
        folder.mkdir()
        old = {"a.py": "old a", "c.txt": "old c"} if force else {}
        for name, text in old.items():
            (folder / name).write_text(text)
        new = {"a.py": "new a" * 100, "b.bin": "new b" * 100, "c.txt": "new c" * 100}
        count = 0

        def counted(call, turn=turn):
            real = getattr(os, call)

            def counting(*args, **more):
                nonlocal count
                count += 1
                if count == turn:
                    if call == "close":
                        real(*args, **more)
                    raise OSError(number, os.strerror(number))
                return real(*args, **more)

            return counting

        with monkeypatch.context() as patch:
            if not links:
                patch.setattr(os, "link", no_links)
            for call in LAYERS_OF_OS:
                patch.setattr(os, call, counted(call))
            try:
                files = {str(folder / name): text for name, text in new.items()}
                output.atomic_write_all(files, force)
            except SpecError as error:
                failed += 1
                assert error.diagnostics[0].code.id in ("E505", "E506")
                wanted = old
            else:
                wanted = old | new
        assert texts(folder) == wanted, turn
        assert len(temps(folder)) <= 1
        if count < turn:
            break
    else:
        raise AssertionError("the last call was never reached")
    assert failed > 10


def test_a_file_that_is_there_stops_all(tmp_path):
    (tmp_path / "b").write_text("theirs")
    with pytest.raises(SpecError) as error:
        output.atomic_write_all({str(tmp_path / name): "ours" for name in "abc"})
    assert code(error) == "E506"
    assert texts(tmp_path) == {"b": "theirs"}
    assert temps(tmp_path) == []


def test_an_interrupt_among_the_moves_undoes_them(tmp_path, monkeypatch):
    for name in "ab":
        (tmp_path / name).write_text("old")
    replace, calls = os.replace, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        replace(*args)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        output.atomic_write_all({str(tmp_path / name): "new" for name in "ab"}, force=True)
    assert texts(tmp_path) == {"a": "old", "b": "old"}
    assert temps(tmp_path) == []


def test_killed_writers_leave_whole_files(tmp_path):
    script = (
        "import sys\nfrom netspec.output import atomic_write_all\n"
        "paths = sys.argv[1:]\n"
        "for n in range(100000):\n"
        "    atomic_write_all({path: str(n % 10) * 300000 for path in paths}, force=True)\n"
    )
    paths = [str(tmp_path / name) for name in "ab"]
    for delay in (0.25, 0.31, 0.37, 0.43, 0.49):
        child = subprocess.Popen([sys.executable, "-c", script, *paths])
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.wait()
        for path in paths:
            if os.path.exists(path):
                with open(path) as handle:
                    text = handle.read()
                assert len(text) == 300000 and len(set(text)) == 1
    atomic_write(str(tmp_path / "c"), "x")
    assert temps(tmp_path) == []


def test_the_input_is_no_output(tmp_path, capsys):
    from netspec.cli import main

    spec = tmp_path / "net.dot"
    text = "inputs: {data: [1, 3, 8, 8]}\nlayers:\n  - {name: a, type: ReLU}\n"
    spec.write_text(text)
    (tmp_path / "link.dot").symlink_to("net.dot")
    os.link(spec, tmp_path / "hard.dot")
    for name in ("net.dot", "link.dot", "hard.dot"):
        assert main(["draw", str(spec), "-o", str(tmp_path / name), "--force"]) == 1
        assert "it is the file that is read" in capsys.readouterr().err
    assert spec.read_text() == text
