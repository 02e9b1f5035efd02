"""The table of power in docs/certificates.md is that of the committed figures."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_shows_the_committed_figures() -> None:
    spec = importlib.util.spec_from_file_location("tool", ROOT / "tools/certificate_table.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    text = tool.PAGE.read_text("utf-8")
    assert tool.page(text) == text
    broken = text.replace("redrawn | 100 |", "redrawn | 95 |")
    assert broken != text
    assert tool.page(broken) == text
