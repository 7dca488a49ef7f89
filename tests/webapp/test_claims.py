"""What docs/security_webapp.md claims has a test."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parents[1] / "docs" / "security_webapp.md"


@pytest.mark.skipif(not PAGE.exists(), reason="no documentation beside the tests")
def test_every_claim_names_tests_that_exist():
    claims = PAGE.read_text(encoding="utf-8").partition("## What is not claimed")[0]
    rows = [line for line in claims.splitlines() if re.match(r"\| \d", line)]
    named = [re.findall(r"`([\w/]+\.py)::(\w+)`", row) for row in rows]
    assert len(rows) > 25
    assert all(named)
    lost = [
        f"{file}::{test}"
        for file, test in (one for row in named for one in row)
        if f"def {test}(" not in (TESTS / file).read_text(encoding="utf-8")
    ]
    assert lost == []
