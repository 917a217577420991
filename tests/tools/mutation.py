# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change the code in one small way at a time (a mutant), and look whether a unit test fails: mutmut, file by file.

``python -m tests.tools.mutation FOLDER [--sample COUNT] [FILE ...]``: FOLDER has a copy of the collection in
``ansible_collections``, which is changed, and gets the results. FILE is one of FILES (all of them if none is given). A
mutant that survives fails the run, unless docs/reliability.md names it as one that changes nothing.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import libcst as cst

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path("ansible_collections/dataops/qlik_em")
CODE = PLACE / "plugins" / "module_utils"
TESTS = PLACE / "tests" / "unit" / "plugins" / "module_utils"
# Where a mistake hurts: secrets, waits, lost answers, definitions, planning, checkpoints, journals. Each file is judged
# by the tests of its own name in its own room.
FILES = [
    *(
        f"_client/{name}.py"
        for name in ("checks", "exact_json", "masking", "nearest", "redaction", "replies", "shapes", "writes")
    ),
    *(f"_common/{name}.py" for name in ("clock", "lost_answers", "patterns", "times", "wait")),
    *(f"_definitions/{name}.py" for name in ("diff", "document", "model", "sending")),
    *(f"_tasks/{name}.py" for name in ("goals", "latency", "model")),
    *(
        f"_fleets/{name}.py"
        for name in (
            *("checkpoint", "heal_memory", "healing", "journal", "order", "restart_points", "strict", "waves"),
            "window_notes",
        )
    ),
]
# To make the mutants of a file takes longer than to judge a few of them, so a sample is of these files only.
SAMPLED = [
    *("_client/replies.py", "_client/writes.py", "_common/clock.py", "_common/lost_answers.py"),
    *("_fleets/restart_points.py", "_fleets/strict.py"),
]
SKIPPED = 34  # the exit code by which mutmut knows a mutant that is not judged
KILLED = ("killed", "timeout")  # one that makes a test run for ever is found as well; each has at least a minute
SETTINGS = f"""
[tool.mutmut]
source_paths = ["{CODE}/"]
only_mutate = [{{files}}]
also_copy = ["{PLACE}/tests/unit", "{PLACE}/pyproject.toml"]
pytest_add_cli_args_test_selection = [{{tests}}]
pytest_add_cli_args = [
    "-p", "no:cacheprovider", "-m", "not hypothesis", "-k", "not linear_time",
    "-c", "{PLACE}/pyproject.toml", "--rootdir", ".",
]
use_git_change_detection = false
timeout_multiplier = 60
"""
KNOWN = ROOT / "docs" / "reliability.md"


class Known(NamedTuple):
    """A mutant that behaves as the code does: the function it is in, and the line as the mutant has it."""

    function: str
    line: str


class Plain(cst.CSTTransformer):
    """Rewrites each decorator as a call below its function: mutmut leaves functions with decorators alone.

    Caches are left out: they would return what the code returned before a mutant took its place.
    """

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> Any:
        """Return the function without decorators, and the assignments."""
        decorators = [cst.Module([]).code_for_node(one.decorator) for one in reversed(updated_node.decorators)]
        if not decorators or decorators == ["staticmethod"] or decorators == ["classmethod"]:
            return updated_node
        name = updated_node.name.value
        calls = [
            cst.parse_statement(f"{name} = {one}({name})")
            for one in decorators
            if not one.startswith(("lru_cache", "functools"))
        ]
        return cst.FlattenSentinel([updated_node.with_changes(decorators=[]), *calls])


def prepare(folder: Path, files: Iterable[str]) -> None:
    """Make the copy of the collection in the folder ready for mutmut."""
    shutil.rmtree(folder / "mutants", ignore_errors=True)
    for file in files:
        path = folder / CODE / file
        path.write_text(cst.parse_module(path.read_text()).visit(Plain()).code)
    tests = [TESTS / file.replace("/", "/test_") for file in files]
    (folder / "pyproject.toml").write_text(
        SETTINGS.format(
            files=", ".join(f'"{CODE / file}"' for file in files),
            tests=", ".join(f'"{test}"' for test in tests if (folder / test).exists()),
        )
    )


def known() -> set[Known]:
    """Return the mutants that docs/reliability.md names: rows of a table, with the function and the line as code."""
    rows = re.findall(r"^\| `([\w./]+:[\w.]+)` \| `` (.*) `` \|", KNOWN.read_text(), re.MULTILINE)
    return {Known(function, line.replace(r"\|", "|")) for function, line in rows}


def described(name: str, diff: str) -> Known:
    """Return a mutant by its function and its changed line; ``diff`` is what mutmut shows of it."""
    module, _dot, function = name.rpartition(".")
    room, _dot, file = module.removeprefix(".".join([*CODE.parts, ""])).rpartition(".")
    inner = function.partition("__mutmut_")[0]
    inner = inner.removeprefix("xǁ").replace("ǁ", ".") if inner.startswith("xǁ") else inner.removeprefix("x_")
    added = [line[1:].strip() for line in diff.splitlines() if line.startswith("+") and not line.startswith("+++")]
    return Known(f"{room}/{file}.py:{inner}", " ".join(added))


def main() -> int:
    """Print the score of each file; 1 if a mutant survived that is not known to change nothing."""
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--sample", type=int, default=0, metavar="COUNT", help="so many mutants, always the same")
    options = parser.parse_args()
    files = options.files or (SAMPLED if options.sample else FILES)
    begin = time.monotonic()
    prepare(options.folder, files)
    os.chdir(options.folder)
    from mutmut import __main__ as mutmut  # it reads its settings in the folder that it is started in

    mutmut.create_mutants(1)
    mutants, data = mutmut.collect_source_file_mutation_data(mutant_names=[])
    wording = {name for path in data for name in only_words(Path(path))}
    # By their hashes: what is changed in one function takes no mutant of another one into a sample, or out of it.
    names = sorted({name for _file, name, _result in mutants} - wording, key=_hash)
    chosen = set(names[: options.sample or None])
    for file in data.values():
        file.exit_code_by_key.update((name, SKIPPED) for name in file.exit_code_by_key if name not in chosen)
        file.save()
    sys.stdout.flush()
    mutmut._run((), 1)
    return report(mutmut, chosen, len(wording), options.sample, time.monotonic() - begin)


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def only_words(path: Path) -> Iterator[str]:
    """Yield the mutants of a file that differ from the code in nothing but the words of a sentence."""
    functions = {
        node.name: _without_words(node)
        for node in ast.walk(ast.parse(("mutants" / path).read_text()))
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name
    }
    for name, code in functions.items():
        original, _mark, number = name.partition("__mutmut_")
        if number != "orig" and code == functions[f"{original}__mutmut_orig"]:
            yield ".".join([*path.with_suffix("").parts, name])


def _without_words(function: ast.FunctionDef) -> str:
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            node.value = "words"
    function.name = ""
    return ast.dump(function)


def report(mutmut: Any, chosen: set[str], wording: int, sample: int, seconds: float) -> int:
    """Print how the mutants ended."""
    unchanged, is_noticed = known(), True
    scores: dict[str, Counter[str]] = {}
    mutants, _data = mutmut.collect_source_file_mutation_data(mutant_names=[])
    for file, name, code in mutants:
        if name not in chosen:
            continue
        status = mutmut.status_by_exit_code[code]
        if status not in KILLED:
            diff = mutmut.get_diff_for_mutant(name)
            mutant = described(name, diff)
            if mutant in unchanged:
                status = "known"
            else:
                is_noticed = False
                print(f"\n{status}: {name}\n{diff}\n| `{mutant.function}` | `` {mutant.line} `` |")
        scores.setdefault(str(Path(file.path).relative_to(CODE)), Counter())[status] += 1
    print(f"\n{'File':32} mutants  killed  of these by time-out  equivalent  survived   score")
    total: Counter[str] = Counter()
    for score in scores.values():
        total.update(score)
    for place, score in [*sorted(scores.items()), ("all", total)]:
        killed, count = sum(score[status] for status in KILLED), sum(score.values())
        left = count - killed - score["known"]
        share = 100 * killed / count if count else 100
        print(f"{place:32} {count:7} {killed:7} {score['timeout']:21} {score['known']:11} {left:9} {share:6.1f} %")
    which = (
        f"a sample of {sample}, chosen by the hashes of their names"
        if sample
        else f"all but {wording}, which only change sentences"
    )
    print(f"\nMutants: {which}. Time: {seconds:.0f} s.")
    return 0 if is_noticed else 1


if __name__ == "__main__":
    sys.exit(main())
