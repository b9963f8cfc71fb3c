import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatcher.messages.catalog import Catalog

Edit = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The templates that come with the product."""
    return Catalog.load()


@pytest.fixture
def edited(catalog: Catalog, tmp_path: Path) -> Edit:
    """Copy the templates, overwrite one file, and return the copy's directory."""
    copy = tmp_path / "templates"
    shutil.copytree(catalog.directory, copy)

    def edit(file: str, content: str) -> Path:
        (copy / file).write_text(content, "utf-8")
        return copy

    return edit
