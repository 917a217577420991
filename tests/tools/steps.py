# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of the tests, each as a function that prints what it does and returns what it counted."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from . import cores
from .environments import Environment, ready
from .layout import BUILD, NAME, NAMESPACE, RESULTS, ROOT, copy_collection, link_collection
from .outcome import Outcome

COLLECTION = f"{NAMESPACE}.{NAME}"
AS_MODULE = "--as-module"


def run(environment: Environment, *command: str, folder: Path = ROOT, **variables: str) -> bool:
    """Run a command of the environment; True if it succeeded."""
    print(f"\n$ {' '.join([Path(command[0]).name, *command[1:]])}", flush=True)
    return subprocess.run(command, cwd=folder, env=environment.variables() | variables, check=False).returncode == 0


def lint() -> Outcome:
    """Everything that is told from the files alone."""
    tools = ready("lint")
    importable = link_collection()
    packages = [
        f"ansible_collections.{COLLECTION}.plugins.{kind}"
        for kind in ("module_utils", "plugin_utils")
        if (ROOT / "plugins" / kind).is_dir()
    ]
    checks: dict[str, tuple[str, ...]] = {
        "ruff": ("check", "."),
        "yamllint": ("--strict", "."),
        "antsibull-changelog": ("lint",),
        "antsibull-docs": ("lint-collection-docs", "--plugin-docs", "."),
        "ansible-lint": (),
    }
    passed = {
        name: run(tools, tools.command(name), *arguments, ANSIBLE_COLLECTIONS_PATH=str(importable))
        for name, arguments in checks.items()
    }
    passed["mypy"] = run(
        tools,
        tools.command("mypy"),
        *(argument for package in packages for argument in ("-p", package)),
        MYPYPATH=str(importable),
    )
    failed = [name for name in passed if not passed[name]]
    print(f"\nFailed: {', '.join(failed) or 'nothing'}")
    return Outcome(passed=len(passed) - len(failed), failed=len(failed))


def docs_tables() -> Outcome:
    """The pages of the documentation that are made from what is known of the API."""
    tools = ready("test")
    module = f"ansible_collections.{COLLECTION}.tests.tools.api_docs"
    return Outcome.of(run(tools, str(tools.interpreter), "-m", module, PYTHONPATH=str(link_collection())))


def pytest(name: str, folder: str, *arguments: str, environment: str = "test") -> Outcome:
    """The tests of a folder, or of paths among the arguments; the checkout is importable as a collection."""
    tools = ready(environment)
    report = RESULTS / f"{name}.xml"
    report.unlink(missing_ok=True)
    where = () if any((ROOT / argument.partition("::")[0]).exists() for argument in arguments) else (folder,)
    passed = run(
        tools,
        tools.command("pytest"),
        *(f"--junit-xml={report}", "-o", f"cache_dir={BUILD / 'cache' / 'pytest'}", *arguments, *where),
        PYTHONPATH=str(link_collection()),
        HYPOTHESIS_STORAGE_DIRECTORY=str(BUILD / "cache" / "hypothesis"),
    )
    outcome = Outcome.from_junit([report] if report.exists() else [])
    if not passed and not outcome.failed:
        outcome.failed = 1  # pytest itself broke
    return outcome


def unit(*arguments: str) -> Outcome:
    """The developer's inner loop."""
    return pytest("unit", "tests/unit", *arguments)


def functional(*arguments: str) -> Outcome:
    """Against the stand-in over real HTTPS; side by side, as most of the time goes by in waiting."""
    ways = "--ignore=tests/functional/ways"
    return pytest("functional", "tests/functional", "tests/simulator/tests", "--numprocesses=4", ways, *arguments)


def ways(series: str, *arguments: str) -> Outcome:
    """In process and as a module, compared on one core; and what signals do."""
    return pytest(f"ways-{series}", "tests/functional/ways", *arguments, environment=f"core-{series}")


def soak(*arguments: str) -> Outcome:
    """Maintenance windows killed at random moments; a few here, many with `make soak`."""
    return pytest("soak", "tests/soak", *arguments)


class AnsibleTest:
    """ansible-test of one core, in a copy of the collection and with a home folder of its own."""

    def __init__(self, series: str) -> None:
        self.core = cores.by_series(series)
        self.tools = ready(f"core-{series}")
        self.copy = copy_collection(BUILD / "trees" / f"core-{series}")
        self.python = str(self.core.python)

    def run(self, *arguments: str) -> bool:
        """Run it, with empty results to start from."""
        # Only the reports: ansible-test keeps its environments beside them.
        shutil.rmtree(self.copy / "tests" / "output" / "junit", ignore_errors=True)
        return run(self.tools, self.tools.command("ansible-test"), *arguments, folder=self.copy)

    def counted(self, passed: bool, reports: str = "*.xml") -> Outcome:
        """What the last run counted."""
        outcome = Outcome.from_junit((self.copy / "tests" / "output" / "junit").glob(reports))
        if not passed and not outcome.failed:
            outcome.failed = 1  # ansible-test itself broke
        return outcome

    def sanity(self, *arguments: str) -> Outcome:
        """Ansible's own rules for collections. There are no ignore files, and none may appear."""
        ignored = sorted(path.name for path in (self.copy / "tests" / "sanity").glob("ignore*"))
        if ignored:
            print(f"tests/sanity/{ignored[0]}: failures are to be mended, not to be ignored")
            return Outcome(failed=1)
        return self.counted(self.run("sanity", "--junit", *arguments))

    def units(self, *arguments: str) -> Outcome:
        """The unit tests as Ansible runs them: with the broadest core under each Python, else on the core's own."""
        where = () if self.core == cores.broadest() else ("--python", self.python)
        return self.counted(self.run("units", "--venv", "--num-workers", "2", *where, *arguments))

    def integration(self, *arguments: str) -> Outcome:
        """The modules in playbooks, against the stand-in; with --as-module never in Ansible's own process."""
        as_module = AS_MODULE in arguments
        arguments = tuple(argument for argument in arguments if argument != AS_MODULE)
        settings = self.copy / "tests" / "integration" / "integration_config.yml"
        settings.write_text(json.dumps({"aem_run_as_module": as_module}), encoding="utf-8")
        return self.counted(self.run("integration", "--venv", "--python", self.python, *arguments))


def sanity(series: str, *arguments: str) -> Outcome:
    """ansible-test sanity of one core."""
    return AnsibleTest(series).sanity(*arguments)


def units(series: str, *arguments: str) -> Outcome:
    """ansible-test units of one core."""
    return AnsibleTest(series).units(*arguments)


def integration(series: str, *arguments: str) -> Outcome:
    """ansible-test integration of one core."""
    return AnsibleTest(series).integration(*arguments)


def molecule(*arguments: str) -> Outcome:
    """Playbooks as users write them, with the check that a second run changes nothing."""
    tools = ready("test")
    trees = BUILD / "trees" / "molecule"
    copy = copy_collection(trees)
    passed = run(
        tools,
        *(tools.command("molecule"), "test", "--all", *arguments),
        folder=copy,  # the scenarios, and config.yml with what they share, are found from here
        ANSIBLE_COLLECTIONS_PATH=str(trees),
    )
    return Outcome.of(passed)


def docs() -> Outcome:
    """The documentation site, in .build/docs/html: the guides and a page for each plugin; a warning is a failure."""
    tools = ready("docs")
    trees = BUILD / "trees" / "docs"
    copy = copy_collection(trees)
    site = BUILD / "docs"
    shutil.rmtree(site, ignore_errors=True)
    source = site / "source"
    source.mkdir(parents=True, mode=0o700)  # antsibull-docs writes to no folder that others may write to
    for page in [*(copy / "docs").glob("*.md"), *(copy / "tests" / "docsite").iterdir()]:
        shutil.copy2(page, source)
    pages = ("collection", "--use-current", "--cleanup", "similar-files", "--dest-dir", str(source), COLLECTION)
    passed = run(tools, tools.command("antsibull-docs"), *pages, ANSIBLE_COLLECTIONS_PATH=str(trees)) and run(
        tools, tools.command("sphinx-build"), "-W", "--keep-going", "-q", "-b", "html", str(source), str(site / "html")
    )
    return Outcome.of(passed)


def build(folder: Path = BUILD / "dist") -> Path:
    """Build the tarball that users install into a folder of its own and return its path."""
    tools = ready("play")
    copy = copy_collection(BUILD / "trees" / folder.name)
    shutil.rmtree(folder, ignore_errors=True)
    if not run(
        tools, tools.command("ansible-galaxy"), "collection", "build", "--output-path", str(folder), folder=copy
    ):
        raise SystemExit("The collection could not be built")
    return next(folder.glob("*.tar.gz"))


def install(folder: Path) -> Path:
    """Build the collection and install it as a user does; return the folder for ANSIBLE_COLLECTIONS_PATH."""
    tarball = build(folder)
    tools = ready("play")
    collections = folder / "collections"
    if not run(
        tools,
        *(tools.command("ansible-galaxy"), "collection", "install", str(tarball), "-p", str(collections)),
        folder=BUILD,
        # Where nothing else can be mistaken for it
        ANSIBLE_COLLECTIONS_PATH=str(collections),
    ):
        raise SystemExit("The collection could not be installed")
    return collections


def importer() -> Outcome:
    """What Galaxy and Automation Hub check when the tarball is uploaded."""
    tarball = build(BUILD / "importer")
    tools = ready("importer")
    settings = tarball.parent / "galaxy-importer.cfg"
    # Its ansible-test needs a container engine; the step sanity does that work.
    settings.write_text(
        "[galaxy-importer]\n"
        "run_ansible_test = False\n"
        "check_changelog = True\n"
        "check_required_tags = True\n"
        "require_v1_or_greater = True\n",
        encoding="utf-8",
    )
    report = subprocess.run(
        [str(tools.interpreter), "-m", "galaxy_importer.main", str(tarball)],
        cwd=tarball.parent,
        env=tools.variables() | {"GALAXY_IMPORTER_CONFIG": str(settings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(report.stdout)
    # It exits with 0 whatever it finds; only the log tells.
    complaints = [line for line in report.stdout.splitlines() if line.startswith(("WARNING", "ERROR", "CRITICAL"))]
    accepted = (
        report.returncode == 0 and "Importer processing completed successfully" in report.stdout and not complaints
    )
    print(f"{len(complaints)} complaints")
    return Outcome.of(accepted)


if __name__ == "__main__":
    build()
