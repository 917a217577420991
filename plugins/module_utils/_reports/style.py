# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection.

"""How a page looks: on a screen in the light and in the dark, on a phone, on paper."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;
--page:#f6f7f9;--card:#fff;--text:#1b2330;--soft:#566070;--line:#d8dde5;--plain:#697586;--link:#0b57b0;
--good:#1a7340;--bad:#b3261e;--warn:#8a5a00;--goodback:#e2f3e8;--badback:#fbe6e4;--warnback:#fbf0d9;--plainback:#e9ecf1}
@media (prefers-color-scheme:dark){:root{
--page:#12161c;--card:#1b212a;--text:#e7ebf1;--soft:#a4afbe;--line:#343d4a;--plain:#8793a5;--link:#8ab8ff;
--good:#6fd398;--bad:#ff9b91;--warn:#f0bf5a;--goodback:#173524;--badback:#452220;--warnback:#3d3014;--plainback:#2a323e}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:.94rem/1.45 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif}
header,main{max-width:90rem;margin:0 auto;padding:0 1.25rem}
main{padding-bottom:3rem}
h1{font-size:1.6rem;line-height:1.2;margin:1.5rem 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:0 0 .6rem}
p{margin:.25rem 0}
ul{list-style:none;margin:0;padding:0}
section{margin-top:1.75rem}
.about,.note,dt{color:var(--soft)}
.note{font-size:.87rem}
.about,.note,.message{overflow-wrap:anywhere}
.many{font-weight:400;color:var(--soft)}
.skip{position:absolute;left:-999rem;background:var(--card);color:var(--link);padding:.5rem 1rem}
.skip:focus{left:.5rem;top:.5rem}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.verdict{font-size:1.15rem;font-weight:600;padding:.7rem 1rem;border-radius:.5rem;border-left:.4rem solid;
margin:1rem 0;background:var(--plainback)}
.verdict.good{background:var(--goodback)}.verdict.bad{background:var(--badback)}.verdict.warn{background:var(--warnback)}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.75rem;margin:1rem 0}
.figures div,.groups li,.charts section,.trends li{background:var(--card);border:1px solid var(--line);
border-radius:.5rem;padding:.7rem .9rem}
.figures div{display:flex;flex-direction:column;justify-content:space-between}
dt{font-size:.87rem}
dd{margin:0;font-size:1.55rem;font-weight:600;font-variant-numeric:tabular-nums}
.groups{display:grid;gap:.6rem}
.groups li{border-left:.35rem solid var(--plain);color:var(--text)}
.groups li.bad{border-left-color:var(--bad)}.groups li.warn{border-left-color:var(--warn)}
.groups strong{overflow-wrap:anywhere}
.message{font-family:ui-monospace,"Cascadia Mono",Consolas,"DejaVu Sans Mono",monospace;font-size:.87rem}
.chip{display:inline-block;padding:.02rem .5rem;border-radius:.6rem;font-size:.8rem;font-weight:600;white-space:nowrap;
background:var(--plainback);color:var(--text)}
.chip.good{background:var(--goodback);color:var(--good)}
.chip.bad{background:var(--badback);color:var(--bad)}
.chip.warn{background:var(--warnback);color:var(--warn)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,18rem),1fr));gap:.75rem;margin-top:1.75rem}
.charts section{margin:0}
.bars li{display:grid;grid-template-columns:minmax(7rem,45%) 1fr minmax(3.5rem,max-content);gap:.6rem;
align-items:center;margin:.2rem 0}
.bars span{overflow-wrap:anywhere}
.bars b{text-align:right;font-variant-numeric:tabular-nums}
.bars svg{width:100%;height:.85rem;background:var(--plainback);border-radius:.2rem}
svg{display:block;fill:var(--plain)}
rect{height:100%}
svg.good{fill:var(--good)}svg.bad{fill:var(--bad)}svg.warn{fill:var(--warn)}
.trends{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,15rem),1fr));gap:.75rem}
.trends svg{width:100%;height:auto}
polyline{fill:none;stroke:var(--link);stroke-width:2;stroke-linejoin:round;vector-effect:non-scaling-stroke}
.tools{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;margin:.5rem 0}
.tools input{font:inherit;color:inherit;background:var(--card);border:1px solid var(--plain);border-radius:.4rem;
padding:.35rem .6rem;width:min(100%,22rem)}
table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line)}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);
overflow-wrap:anywhere;unicode-bidi:isolate}
.text{min-width:8.5rem}
tbody th{font-weight:600;min-width:9rem}
thead th{background:var(--plainback);font-size:.87rem;overflow-wrap:normal;position:sticky;top:0;z-index:1}
thead button{all:unset;cursor:pointer;font-weight:600}
thead button:focus-visible{outline:3px solid var(--link);outline-offset:2px}
thead button::after{content:"\\a0\\2195";color:var(--soft)}
[aria-sort=ascending] button::after{content:"\\a0\\2191"}[aria-sort=descending] button::after{content:"\\a0\\2193"}
.number{text-align:right;font-variant-numeric:tabular-nums}
td.number{white-space:nowrap}
th.bar,td.bar{min-width:9rem}
td.bar svg{width:100%;height:.7rem;margin-top:.35rem;background:var(--plainback);fill:var(--link)}
[hidden]{display:none!important}
@media screen and (max-width:75rem){
header,main{padding:0 .8rem}
table,tbody,tr,td,tbody th{display:block}
table{background:none;border:0}
thead{display:none}
.sorts thead{display:block}
.sorts thead tr{display:flex;flex-wrap:wrap;gap:.4rem;border:0;margin:0;padding:0;background:none}
.sorts thead th{position:static;min-width:0;border:1px solid var(--line);border-radius:.4rem;text-align:left}
tr{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.5rem .8rem;margin:.6rem 0}
tbody tr{display:flex;flex-flow:row wrap;gap:.15rem 1.1rem}
tbody th{order:-1;flex-basis:100%;font-size:1.05rem}
td,tbody th{border:0;padding:0;text-align:left}
td.number{text-align:left}
td:empty{display:none}
td::before{color:var(--soft);font-size:.87rem}
td.bar{flex-basis:100%}
td.bar svg{margin:.2rem 0}}
@media print{
:root{color-scheme:light;--page:#fff;--card:#fff;--text:#000;--soft:#444;--line:#bbb;--plain:#777;--link:#0b57b0;
--good:#1a7340;--bad:#b3261e;--warn:#8a5a00;--goodback:#fff;--badback:#fff;--warnback:#fff;--plainback:#fff}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
html{font-size:9.5px}
header,main{max-width:none;padding:0}
.skip,.tools,thead button::after{display:none}
.chip,.verdict,.bars svg,td.bar svg{border:1px solid var(--line)}
.verdict{border-left:.4rem solid}
thead{display:table-header-group}
thead th{position:static}
th,td{padding:.2rem .4rem}
th.bar,td.bar{min-width:5rem}
tr,li,.figures div{break-inside:avoid}
h2{break-after:avoid}
.charts{grid-template-columns:1fr 1fr}
.trends{grid-template-columns:1fr 1fr 1fr}
@page{margin:12mm}}
"""
