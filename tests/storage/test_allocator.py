"""A library that is not there is passed over by the loader, which only the store's speed would tell."""

import sys
from pathlib import Path

import pytest

from dispatcher.storage.allocator import environment


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator is loaded on Linux alone")
def test_the_library_that_a_server_starts_with_is_where_its_package_puts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LD_PRELOAD", "another.so")

    first, *others = environment()["LD_PRELOAD"].split()

    assert Path(first).is_file()
    assert others == ["another.so"]
