# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""The HTML of a page: Jinja2 templates, every value in them escaped.

They are texts here and not files: of a collection, Ansible sends a module nothing but its Python files to another host.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Callable
from typing import Any

from .._client.errors import AemError
from .._run.lines import one_line
from .script import SCRIPT
from .style import STYLE
from .view import View

try:
    import jinja2
    from markupsafe import Markup, escape
except ImportError as error:
    JINJA2_IMPORT_ERROR: ImportError | None = error
else:
    JINJA2_IMPORT_ERROR = None

ROOM = 2_000_000  # bytes of all messages in the rows: a page of 10,000 rows stays below 5 MB
LEAST, MOST = 80, 4000  # bytes of one of them, whatever the room
SHORT = 40  # bytes of what stands in one line

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="description" content="{{ view.verdict.text }}">
<link rel="icon" href="data:,">
<title>{{ view.title }}</title>
<style>{{ style }}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<h1>{{ view.title }}</h1>
<p class="about">{{ view.source }}, as of <time datetime="{{ view.time }}">{{ view.time | replace("T", " ") |
replace("Z", " UTC") }}</time></p>
</header>
<main id="main">
<p class="verdict {{ view.verdict.kind }}">{{ view.verdict.text }}</p>
<dl class="figures">
{% for one in view.figures %}
<div class="{{ one.kind }}"><dt>{{ one.label }}</dt><dd>{{ one.value }}</dd></div>
{% endfor %}
</dl>
{% for note in view.notes %}
<p class="note">{{ note | cut }}</p>
{% endfor %}
{% if view.groups %}
<section aria-labelledby="attention">
<h2 id="attention">Needs attention</h2>
<ul class="groups">
{% for group in view.groups %}
<li class="{{ group.state.kind }}">
<p><span class="chip {{ group.state.kind }}">{{ group.state.text }}</span> {% for name in group.names %}
<strong>{{ name }}</strong>{% if not loop.last %}, {% endif %}{% endfor %}
{% if group.more %} and {{ group.more }} more{% endif %}
</p>
<p class="message">{{ group.message | cut }}</p>
{% if group.remedy %}
<p><b>What to do:</b> {{ group.remedy }}</p>
{% endif %}
</li>
{% endfor %}
</ul>
{% if view.more_groups %}
<p class="note">{{ view.more_groups }} more are only in the table below.</p>
{% endif %}
</section>
{% endif %}
{% if view.charts %}
<div class="charts">
{% for chart in view.charts %}
<section aria-labelledby="chart{{ loop.index }}">
<h2 id="chart{{ loop.index }}">{{ chart.title }}</h2>
<ul class="bars">
{% for one in chart.items %}
<li><span>{{ one.label }}</span><svg class="{{ one.kind }}" aria-hidden="true"><rect width="{{ one.length }}%"/></svg>
<b>{{ one.value }}</b></li>
{% endfor %}
</ul>
{% if chart.note %}
<p class="note">{{ chart.note }}</p>
{% endif %}
</section>
{% endfor %}
</div>
{% endif %}
{% if view.trends %}
<section aria-labelledby="trend">
<h2 id="trend">Trend</h2>
<ul class="trends">
{% for one in view.trends %}
<li><p>{{ one.label }} <b>{{ one.last }}</b></p>
<svg viewBox="0 0 240 48" role="img" aria-label="{{ one.label }}: from {{ one.first }} to {{ one.last }}"><polyline
 points="{{ one.points }}"/></svg>
<p class="note">first {{ one.first }}, lowest {{ one.lowest }}, highest {{ one.highest }}</p></li>
{% endfor %}
</ul>
</section>
{% endif %}
{% for table in view.tables %}
<section aria-labelledby="{{ table.name }}-title">
<h2 id="{{ table.name }}-title">{{ table.title }} <span class="many">{{ table.rows | length }}</span></h2>
{% if table.note %}
<p class="note">{{ table.note }}</p>
{% endif %}
<table id="{{ table.name }}" aria-labelledby="{{ table.name }}-title">
<thead><tr>
{% for column in table.columns %}
<th scope="col" class="{{ column.kind }}">{{ column.label }}</th>
{% endfor %}
</tr></thead>
<tbody>
{% set kinds = table.columns | map(attribute="kind") | list %}
{% for row in table.rows %}
<tr>
{%- for cell in row %}
{%- set kind = kinds[loop.index0] %}
{%- if kind == "state" %}
<td>{% if cell.text %}<span class="chip {{ cell.kind }}">{{ cell.text }}</span>{% endif %}
{%- elif kind == "number" %}
<td class="number">{{ cell }}
{%- elif kind == "name" %}
<th scope="row">{{ cell }}
{%- elif kind == "bar" %}
<td class="bar">{% if cell %}<svg aria-hidden="true"><rect x="{{ cell.begin }}%" width="{{ cell.length }}%"/></svg>
{%- endif %}
{%- elif kind == "word" %}
<td>{{ cell | cut(short) }}
{%- else %}
<td>{{ cell | cut }}
{%- endif %}
{%- endfor %}
</tr>
{% endfor %}
</tbody>
</table>
</section>
{% endfor %}
</main>
<script>{{ script }}</script>
</body>
</html>
"""


def render(view: View, mask: Callable[[str], str]) -> str:
    """Return the page; ``mask`` takes the secrets of the run out of a text. Raises AemError without Jinja2.

    Whatever a server gives is shown in one line, and what would hide a part of it or turn its direction is escaped.
    """
    if JINJA2_IMPORT_ERROR:
        raise AemError(
            f"The Python library jinja2 is missing for {sys.executable}.",
            "Run the task on the controller (delegate_to: localhost), which has it, or install it there.",
        )

    def shown(value: Any) -> Any:
        return one_line(mask(value)) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown,
    )
    most = longest(sum(len(table.rows) for table in view.tables))
    environment.filters["cut"] = lambda value, most=most: cut(shown(value), most)  # or a part of a secret would stay
    style = STYLE + columns_style(view)
    values = {
        "view": view,
        "style": Markup(style),
        "script": Markup(SCRIPT),
        "policy": policy(style),
        "short": SHORT,
    }
    return environment.from_string(PAGE).render(values)


def longest(rows: int) -> int:
    """Return how many bytes of a message a page of so many rows shows."""
    return max(LEAST, min(MOST, ROOM // max(rows, 1)))


def cut(value: Any, most: int) -> Any:
    """Return the begin of a text that is, as HTML, longer than ``most`` bytes."""
    if not isinstance(value, str) or len(value) * 6 <= most:  # no character takes more
        return value
    size = len(escape(value).encode())
    return value if size <= most else f"{value[: most * len(value) // size]}..."


def columns_style(view: View) -> str:
    """Return the style of single columns: where a phone shows a row as a card, without heads, a cell has its label."""
    columns = [
        (f"#{table.name} td:nth-child({number})", column)
        for table in view.tables
        for number, column in enumerate(table.columns, start=1)
        if column.kind != "name"
    ]
    words = "".join(f"{place}{{white-space:nowrap}}" for place, column in columns if column.kind == "word")
    labels = "".join(f'{place}::before{{content:"{column.label}: "}}' for place, column in columns)
    return f"{words}@media screen and (max-width:75rem){{{labels}}}"


def policy(style: str) -> str:
    """Return the policy that keeps a browser from asking anybody, and from running what is not ours."""
    own = (f"{kind}-src 'sha256-{_digest(text)}'" for kind, text in (("style", style), ("script", SCRIPT)))
    return "; ".join(("default-src 'none'", "img-src data:", *own, "base-uri 'none'", "form-action 'none'"))


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
