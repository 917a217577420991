# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""What a page can do beyond being read: its tables are sorted and filtered. Without scripts they are as they came."""

from __future__ import annotations

SCRIPT = """
"use strict";
(() => {
const words = new Intl.Collator(undefined, {numeric: true, sensitivity: "base"});
const number = text => text === "" ? -1 : text.split(":").reduce((sum, part) => sum * 60 + parseFloat(part), 0);
const place = cell => { const bar = cell.querySelector("rect"); return bar ? parseFloat(bar.getAttribute("x")) : -1; };
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0], rows = [...body.rows];
  if (rows.length < 2) continue;
  table.classList.add("sorts");
  const tools = document.createElement("div"), label = document.createElement("label");
  const input = document.createElement("input"), seen = document.createElement("span");
  tools.className = "tools";
  label.textContent = "Filter ";
  input.type = "search";
  input.id = label.htmlFor = table.id + "-filter";
  seen.setAttribute("role", "status");
  tools.append(label, input, seen);
  table.before(tools);
  let texts, timer;
  const show = () => {
    texts = texts || rows.map(row => [...row.cells].map(cell => cell.textContent).join(" ").toLowerCase());
    const wanted = input.value.toLowerCase().split(" ").filter(Boolean);
    let left = 0;
    rows.forEach((row, at) => {
      row.hidden = !wanted.every(word => texts[at].includes(word));
      left += !row.hidden;
    });
    seen.textContent = wanted.length ? left + " of " + rows.length : "";
  };
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(show, 120); });
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const numeric = head.classList.contains("number"), bars = head.classList.contains("bar");
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") !== "ascending" : !numeric;
      heads.forEach(one => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = row => bars ? place(row.cells[at]) : numeric ? number(row.cells[at].textContent)
        : row.cells[at].textContent;
      const compare = numeric || bars ? (a, b) => a[0] - b[0] : (a, b) => words.compare(a[0], b[0]);
      const sorted = rows.map(row => [key(row), row]).sort(compare);
      if (!up) sorted.reverse();
      body.append(...sorted.map(pair => pair[1]));
    });
  });
}
})();
"""
