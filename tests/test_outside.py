"""The written files in the programs they are for: LaTeX compiles them, a browser shows them. Skipped without those."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import backproof as bp

NETWORKS = {
    "article": bp.derive("3-4-3", mean="parameters"),
    "softmax": bp.derive(bp.load("4-4:gelu-3:softmax", loss="cce", l2=0.1), layout="rows", inputs=True),
}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("name", NETWORKS)
def test_latex_compiles_without_a_complaint(name: str, tmp_path: Path) -> None:
    (tmp_path / "derivation.tex").write_text(bp.render(NETWORKS[name], "latex", expand=True), encoding="utf-8")
    run = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "derivation.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull \\hbox" not in run.stdout
    assert (tmp_path / "derivation.pdf").stat().st_size > 10_000


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("name", NETWORKS)
def test_page_opens_from_a_file_under_its_own_policy(name: str, tmp_path: Path) -> None:
    page = tmp_path / "derivation.html"
    page.write_text(bp.render(NETWORKS[name], "html", expand=True), encoding="utf-8")
    assert CHROMIUM is not None
    run = subprocess.run(
        [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "<math" in run.stdout
    assert "<svg" in run.stdout
    assert "CONSOLE" not in run.stderr, run.stderr
    assert "<script" not in run.stdout
