"""The different values of columns, and of groups of columns, as hashes."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.graph.storage.settings import Settings
from sightline.ingest.formats import delimited
from sightline.ingest.load import look
from sightline.ingest.profile.distinct import Distinct
from sightline.ingest.profile.statistics import together


@given(st.sets(st.integers(0, 2**64 - 1)), st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_values_that_wait_are_found_as_those_that_were_added(values: set, cuts: list) -> None:
    hashes = np.array(list(values), np.uint64)
    added, waiting = Distinct(), Distinct()
    for part in np.array_split(hashes, len(cuts)):
        added.add(part)
        waiting.put_off(part)
    assert (waiting.count, waiting.unique) == (added.count, added.unique)
    assert added.found_in(waiting) == waiting.found_in(added)
    assert waiting.kept().tolist() == added.kept().tolist()
    waiting.add(hashes[:1])
    assert waiting.unique == (not values)
    assert waiting.count == len(values)


def test_all_columns_of_a_table_tell_its_records_apart_and_have_their_values(
    tmp_path: Path,
) -> None:
    rows = [",".join(row) for row in product(*(("x1", "x2", "x3"), ("y1", "y2"), ("z1", "z2")))]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c", *rows, rows[0], ""]))
    with patch.object(delimited, "BLOCK", 60):
        found, _ = look([tmp_path / "t.csv"], Settings().prefixes)
        statistics = found.tables[0].statistics
        assert list(statistics.groups) == [("a", "b", "c")]
        kept = statistics.groups["a", "b", "c"]
        assert kept.count == statistics.records == 12
        again = together(statistics, ("a", "b", "c"))
        assert kept.kept().tolist() == again.kept().tolist()
