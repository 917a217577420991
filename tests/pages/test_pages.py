# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of aem_report in a real browser: nothing cut, nothing that axe-core finds, nothing asked of anybody.

The pictures that it takes are left in .build/pages.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from ansible_collections.dataops.qlik_em.tests.pages.samples import estate_page, heal_page, plan_page, run_page
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PICTURES = Path(__file__).resolve().parents[2] / ".build" / "pages"
SAMPLES = {"estate": lambda: estate_page(12), "run": lambda: run_page(12), "heal": heal_page, "plan": plan_page}
SCREEN, PHONE, PAPER = ({"width": width, "height": height} for width, height in ((1280, 900), (360, 740), (718, 1000)))
LOOKS = {
    "light": {"viewport": SCREEN},
    "dark": {"viewport": SCREEN, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True},
    "narrow": {"viewport": {"width": 1210, "height": 800}},
    "print": {"viewport": PAPER},
    "without scripts": {"viewport": SCREEN, "java_script_enabled": False},
}
MOST = 5_000_000  # bytes of a page of 10,000 rows
# Texts that reach out of what they stand in.
CUT = """() => [...document.querySelectorAll("h1, h2, p, dt, dd, li, li span, li b, th, td, .chip, button")]
  .filter(one => one.getClientRects().length && one.scrollWidth > one.clientWidth + 1 && one.clientWidth)
  .map(one => one.outerHTML.slice(0, 120))"""
# Cells that lie on each other.
OVERLAPS = """() => [...document.querySelectorAll("tr")].slice(0, 60).flatMap(row => {
  const boxes = [...row.cells].map(one => one.getBoundingClientRect()).filter(box => box.width && box.height);
  return boxes.flatMap((a, at) => boxes.slice(at + 1).filter(b => a.right - b.left > 1 && b.right - a.left > 1
    && a.bottom - b.top > 1 && b.bottom - a.top > 1).map(() => row.textContent));
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # In containers there are no user namespaces for its sandbox. It shows nothing but our own files.
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """The sample pages as files."""
    found = {name: tmp_path_factory.mktemp("pages") / f"{name}.html" for name in SAMPLES}
    for name, path in found.items():
        path.write_text(SAMPLES[name](), encoding="utf-8")
    return found


def show(browser: Browser, path: Path, look: str = "light", **options) -> Page:
    """Open a page; what it asks for and what it complains of fails the test at the end of `quiet`."""
    page = browser.new_context(**{**LOOKS[look], **options}).new_page()
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.asked.append(message.text))
    page.on("pageerror", lambda error: page.asked.append(str(error)))
    if look == "print":
        page.emulate_media(media="print")
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_is_cut_and_nothing_overlaps(browser, files, name, look):
    page = show(browser, files[name], look)
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{look.replace(' ', '-')}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert page.evaluate(CUT) == []
    assert page.evaluate(OVERLAPS) == []
    page.context.close()


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
@pytest.mark.parametrize("name", SAMPLES)
def test_axe_finds_nothing(browser, files, name, look):
    page = show(browser, files[name], look, bypass_csp=True)
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document)")
    assert len(found["passes"]) > 20  # it did look
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    page.context.close()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_asks_nobody_and_runs_nothing_of_a_server(browser, files, name):
    page = show(browser, files[name])
    page.hover("tbody tr")
    assert page.asked == [files[name].as_uri()]
    assert page.title() != "caught" and page.locator("body script").count() == 1
    # If an element came through after all, the policy of the page would stop it.
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    assert page.evaluate("window.ran") is None
    page.context.close()


def column(page: Page, number: int, table: str = "#tasks") -> list[str]:
    """Return what a column of a table shows."""
    cells = f"{table} tbody tr:not([hidden]) > :nth-child({number})"
    return page.evaluate("cells => [...document.querySelectorAll(cells)].map(cell => cell.textContent)", cells)


def test_tables_are_sorted_by_keyboard(browser, files):
    page = show(browser, files["estate"])
    head = page.locator("#tasks thead th", has_text="Latency")
    before = column(page, 2)
    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    seconds = [
        sum(int(part) * 60**at for at, part in enumerate(reversed(text.split(":")))) for text in column(page, 5) if text
    ]
    assert seconds == sorted(seconds, reverse=True) and len(set(seconds)) > 3 and column(page, 5)[-1] == ""
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "ascending" and column(page, 5)[0] == ""
    page.locator("#tasks thead th", has_text="Task").first.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") is None
    assert sorted(before) == sorted(column(page, 2)) and column(page, 2)[1].startswith("task 00000")
    page.context.close()


def test_a_table_is_filtered_by_words(browser, files):
    page = show(browser, files["estate"], "phone")
    page.locator("#tasks-filter").fill("error replicate-003")
    expect(page.locator("#tasks-filter + [role=status]")).to_have_text("1 of 13")
    assert set(zip(column(page, 1), column(page, 3), strict=True)) == {("Replicate-003", "ERROR")}
    page.context.close()


def test_without_scripts_all_is_there(browser, files):
    page = show(browser, files["run"], "without scripts")
    assert page.locator("#rows tbody tr").count() == 13 and page.locator(".tools").count() == 0
    assert page.locator("thead button").count() == 0
    page.context.close()


def test_on_paper_all_is_there_in_dark_ink(browser, files):
    page = show(browser, files["run"], "print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".tools").first.is_hidden() and page.locator("#rows tbody tr").last.is_visible()
    assert len(page.pdf(path=PICTURES / "run.pdf", format="A4", print_background=True)) > 10_000
    page.context.close()


def test_10000_rows_stay_below_5_mb_and_can_be_used(browser, tmp_path):
    assert len(estate_page(10_000).encode()) < MOST
    for long in ("<" * 3000, "\u00e9" * 3000):
        assert len(run_page(10_000, long, every=1).encode()) < MOST
    path = tmp_path / "long.html"
    path.write_text(run_page(10_000), encoding="utf-8")
    assert path.stat().st_size < MOST
    page = show(browser, path)
    page.locator("#rows-filter").fill("task 04711")
    expect(page.locator("#rows-filter ~ [role=status]")).to_have_text("1 of 10001", timeout=120_000)
    page.context.close()
