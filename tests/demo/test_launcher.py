"""What stands between the command and the first frame: light, private, and clear when it fails."""

import importlib.machinery
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from celery_tui.demo import broker, rundir
from celery_tui.demo.launcher import Demo
from celery_tui.errors import DemoError


def test_the_launcher_imports_the_standard_library_only() -> None:
    script = "import sys, celery_tui.demo.launcher; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, check=True)
    loaded = {name.split(".")[0] for name in run.stdout.decode().split()}
    assert not loaded & {"asyncio", "celery", "click", "kombu", "redis", "textual"}


def test_urls_are_known_before_anything_runs() -> None:
    demo = Demo()
    assert demo.broker_url == f"redis://127.0.0.1:{demo.port}/0"
    assert demo.backend_url == f"redis://127.0.0.1:{demo.port}/1"
    assert demo.progress() == ()


def test_a_bundled_server_is_found_without_importing_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    ((package, inside), *_) = broker._bundled()
    program = tmp_path / package / inside
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    spec = importlib.machinery.ModuleSpec(package, None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path / package)]
    monkeypatch.setattr(broker, "find_spec", {package: spec}.get)
    monkeypatch.delitem(sys.modules, package, raising=False)  # it brings a pytest plugin
    assert broker.server_program() == program
    assert package not in sys.modules


def test_no_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(broker, "find_spec", lambda _: None)
    with pytest.raises(DemoError) as caught:
        Demo().start()
    assert "pip install 'celery-tui[demo]'" in caught.value.hint


def test_a_base_directory_that_others_can_read_is_refused() -> None:
    rundir.base_directory().mkdir(mode=0o755)
    with pytest.raises(DemoError, match="not private"):
        rundir.make_directory(rundir.base_directory() / "1-1")


def test_a_young_directory_without_a_record_is_left_alone() -> None:
    directory = rundir.base_directory() / "1-1"
    rundir.make_directory(directory)
    assert rundir.clean_leftovers() == 0
    os.utime(directory, (0, 0))
    assert rundir.clean_leftovers() == 1
    assert not rundir.base_directory().exists()


def test_a_process_id_that_was_given_again_is_not_ours() -> None:
    directory = rundir.base_directory() / "1-1"
    rundir.make_directory(directory)
    (directory / rundir.RECORD).write_text(
        f'{{"keepers": {{}}, "children": {{"{os.getpid()}": "another start"}}}}'
    )
    assert rundir.clean_leftovers() == 1
