"""The table of power in docs/certificates.md is that of the committed figures."""

import certificate_table


def test_the_page_shows_the_committed_figures() -> None:
    text = certificate_table.PAGE.read_text("utf-8")
    assert certificate_table.page(text) == text
    assert certificate_table.page(text.replace("| 54 |", "| 95 |")) == text
