"""The register in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

DATABASE = "products"


@pytest.fixture(scope="module")
def server(
    postgres: Any, make_desk: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """A desk with the example data, published, on the server."""
    desk = make_desk(tmp_path_factory.mktemp("server"))
    desk.url = postgres.create(DATABASE)
    published(desk)
    return desk


def published(desk: Any) -> dict[str, bytes]:
    desk.done("seed", "--on", "2019-03-01")
    files: dict[str, bytes] = desk.publish("--on", "2019-03-26")
    return files


def test_the_same_lists_as_from_sqlite(server: Any, desk: Any) -> None:
    assert server.files() == published(desk)
    assert server.publish_again("2019-03-26") == desk.files()
    assert server.done("list", "--internal") == desk.done("list", "--internal")


@pytest.mark.parametrize("table", ["products_acts", "products_publications"])
@pytest.mark.parametrize("change", ["UPDATE {} SET day = ''", "DELETE FROM {}", "TRUNCATE {}"])
def test_it_only_adds(server: Any, postgres: Any, table: str, change: str) -> None:
    address = postgres.url(DATABASE).replace("postgresql+psycopg", "postgresql")
    with (
        closing(psycopg.connect(address)) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="only ever added to"),
    ):
        connection.execute(change.format(table))
