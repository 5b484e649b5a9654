"""A page view reads one publication from start to end, and the next view the newest one."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from page_runs import open_page, text
from published_warehouse import Tables, add_procedure, publish

from cryotrail_dashboards.errors import WarehouseUnreadable
from cryotrail_dashboards.queries import procedure as ask
from cryotrail_dashboards.queries.publication import open_publication


def test_the_next_view_sees_the_next_publication_and_an_open_one_keeps_its_own(
    tmp_path: Path,
) -> None:
    tables: Tables = {}
    add_procedure(tables, "CRYO-0001")
    publish(tmp_path, tables, number=1)

    with open_publication(tmp_path) as first:
        add_procedure(tables, "CRYO-0002")
        publish(tmp_path, tables, number=2)
        with open_publication(tmp_path) as second:
            labels = (ask.labels(first), ask.labels(second))

    assert labels == (["CRYO-0001"], ["CRYO-0001", "CRYO-0002"])


def test_two_publications_never_share_an_identity(tmp_path: Path) -> None:
    identities = []
    for number in (1, 2):
        publish(tmp_path, {}, number=number)
        with open_publication(tmp_path) as publication:
            identities.append(publication.identity())

    assert len(set(identities)) == 2


def test_a_publication_is_read_only(tmp_path: Path) -> None:
    publish(tmp_path, {})

    with open_publication(tmp_path) as publication, pytest.raises(duckdb.Error, match="read-only"):
        publication.rows("delete from warehouse.meta_publication")


def test_a_file_that_is_no_warehouse_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "warehouse.duckdb").write_bytes(b"not a database" * 1000)

    with pytest.raises(WarehouseUnreadable) as refusal, open_publication(tmp_path):
        pass

    assert refusal.value.hint is not None
    assert "warehouse rebuild" in refusal.value.hint


@pytest.mark.parametrize(
    "change", ["drop table fct_procedure", "alter table fct_procedure drop column procedure_label"]
)
def test_a_publication_of_another_version_names_what_it_lacks(tmp_path: Path, change: str) -> None:
    file = publish(tmp_path, {})
    with duckdb.connect(str(file)) as connection:
        connection.execute(change)

    page = open_page(tmp_path, "procedure")

    assert "the publication lacks what this page reads" in text(page)
    assert "cryotrail warehouse rebuild" in text(page)
