# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sessions of the tests; those for linters are in antsibull-nox.toml. `make` calls them, `make help` lists how.

Sessions run side by side, so each has an environment, a home folder and a tree of the collection of its own.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import antsibull_nox
import nox

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / ".build"
COVERAGE = BUILD / "coverage"
NAMESPACE, NAME = "dataops", "qlik_em"
PACKAGED_COLLECTIONS = BUILD / "home" / ".ansible" / "collections"
COVERED = 98
PATIENCE = 30.0  # seconds that a process gets to end after Ctrl-C: modules log out, stand-ins stop

# The Pythons that tests/tools/bootstrap.py found on this machine.
PYTHONS = {link.name.removeprefix("python") for link in (BUILD / "pythons").glob("python*")}


@dataclass(frozen=True)
class Core:
    """A release of ansible-core, and the Pythons it runs on, preferred first."""

    series: str
    release: str
    pythons: tuple[str, ...]

    @property
    def python(self) -> str:
        """The Python it runs on here; nox skips the session if that is missing."""
        return next((version for version in self.pythons if version in PYTHONS), self.pythons[0])


# The oldest that requires_ansible allows, the middle one, the newest.
# Exact releases: a new one must not break the build.
CORES = (
    Core("2.16", "2.16.19", ("3.11", "3.12", "3.10")),
    Core("2.19", "2.19.14", ("3.11", "3.12", "3.13")),
    Core("2.21", "2.21.5", ("3.12", "3.13", "3.14")),
)
# What comes next. The session may fail, and what it found is reported.
NEXT = Core("2.22", "2.22.0rc1", ("3.13", "3.14", "3.12"))

nox.needs_version = ">=2026.8"
nox.options.envdir = str(BUILD / "venv")
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["unit"]

# What is set for these tools on this machine would change what is tested; the user's own home is left alone.
CONNECTION = {name: value for name, value in os.environ.items() if name.startswith("QLIK_EM_")}
os.environ.setdefault("NETRC", str(Path.home() / ".netrc"))  # pip may find a password there
os.environ.setdefault("GNUPGHOME", str(Path.home() / ".gnupg"))  # the maintainer's key signs a release
for variable in [*os.environ]:
    if variable.startswith(("ANSIBLE_", "MOLECULE_", "QLIK_EM_", "XDG_")) or variable in ("PYTHONHOME", "PYTHONPATH"):
        del os.environ[variable]
os.environ |= {
    "HOME": str(BUILD / "home"),
    "MYPY_CACHE_DIR": str(BUILD / "cache" / "mypy"),
    "RUFF_CACHE_DIR": str(BUILD / "cache" / "ruff"),
    # Where the checkout belongs to another user (containers), git refuses to read it unless this is set.
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": str(ROOT),
}
if (BUILD / "path").exists():  # tests/tools/bootstrap.py has run
    os.environ |= {"PATH": (BUILD / "path").read_text(), "PIP_CONFIG_FILE": str(BUILD / "pip.conf")}
if not re.search("utf-?8", os.environ.get("LC_ALL") or os.environ.get("LANG") or "", re.IGNORECASE):
    os.environ["LC_ALL"] = "C.UTF-8"  # Ansible refuses to start in any other encoding
# Whatever ends a session ends what it started: Ctrl-C, a signal, or the time limit of `make test`.
signal.signal(signal.SIGTERM, signal.default_int_handler)
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.alarm(int(os.environ.get("TIME_LIMIT", "0")))

antsibull_nox.load_antsibull_nox_toml()


# -- what sessions are made of


def session_of(requirements: str, core: Core | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a session by its function, in an environment that is made anew when any requirement changes.

    With a core it is in the environment too, and the function gets it as its second argument.
    """
    packages = ["-r", f"tests/tools/requirements/{requirements}.txt"]
    if core:
        packages.append(f"ansible-core=={core.release}")
    files = [*ROOT.glob("requirements.txt"), *ROOT.glob("tests/*/*.txt"), *ROOT.glob("tests/tools/*/*.txt")]
    # An environment does not survive that the checkout is moved.
    wanted = "\n".join([str(ROOT), *packages, *(path.read_text() for path in sorted(files))])

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        name = function.__name__.replace("_", "-") + (f"-{core.series}" if core in CORES else "")
        stamp = BUILD / "venv" / f"{name}.complete"
        is_complete = stamp.exists() and stamp.read_text() == wanted

        @nox.session(name=name, python=core.python if core else None, reuse_venv=is_complete)
        def session_function(session: nox.Session) -> None:
            before = processor_time()
            if not is_complete:
                # Python compiles what it imports anyway, and most of what is installed is never imported.
                session.install("--no-compile", *packages)
                session.run_install("python", "-m", "pip", "check")
                stamp.write_text(wanted)
            session.env["HOME"] = str(BUILD / "home" / name)
            # ansible-test hands hardly any variable to its pip.
            settings = BUILD / "home" / name / ".config" / "pip" / "pip.conf"
            settings.parent.mkdir(parents=True, exist_ok=True)
            if not settings.is_symlink():
                settings.symlink_to(BUILD / "pip.conf")
            try:
                function(session, core) if core else function(session)
            finally:
                # tests/tools/summary.py shows it
                (BUILD / "results").mkdir(exist_ok=True)
                (BUILD / "results" / f"{name}.seconds").write_text(f"{processor_time() - before:.0f}")

        session_function.__doc__ = function.__doc__
        return function

    return declare


def processor_time() -> float:
    """Return the seconds of processor time that all commands have used that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def on_each_core(requirements: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a session for each ansible-core."""

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        for core in CORES:
            session_of(requirements, core)(function)
        return function

    return declare


def run(session: nox.Session, *command: str, **variables: str) -> None:
    """Run a command of the environment; it gets time to end after Ctrl-C."""
    session.run(*command, env=variables, interrupt_timeout=PATIENCE, terminate_timeout=PATIENCE)


def tree_of(session: nox.Session) -> Path:
    """Return the folder of the session in which ansible_collections lies."""
    return BUILD / "tree" / session.name


def link(session: nox.Session) -> str:
    """Make the checkout itself importable as a collection; return the folder for PYTHONPATH."""
    place = tree_of(session) / "ansible_collections" / NAMESPACE / NAME
    if not place.is_symlink():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(ROOT)
    return str(tree_of(session))


def copy(session: nox.Session) -> Path:
    """Copy the files of the collection that git does not ignore; return where.

    ansible-test insists on a real path that ends in ansible_collections/NAMESPACE/NAME; the checkout can be anywhere.
    """
    place = tree_of(session) / "ansible_collections" / NAMESPACE / NAME
    # A repository of its own: else ansible-test asks the checkout's git, which ignores the folder that this is in.
    subprocess.run(["git", "init", "--quiet", str(place)], check=True)
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    wanted = {name for name in names if name and (ROOT / name).is_file()}
    for path in place.rglob("*"):
        # ansible-test keeps its environments beside its reports
        if not path.is_dir() and not path.relative_to(place).as_posix().startswith((".git/", "tests/output/")):
            path.unlink()
    for name in wanted:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place / name, follow_symlinks=False)
    return place


def results_of(session: nox.Session) -> Path:
    """Return the empty folder for the session's reports in JUnit's format; tests/tools/summary.py counts them."""
    folder = BUILD / "results" / session.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


# -- tests that pytest runs, against the checkout


def measured(session: nox.Session) -> dict[str, str]:
    """Return the variable with which each Python of the session notes what it runs of the plugins, if that is wanted.

    The package coverage installs a .pth file that heeds it: in pytest, its workers, ansible-playbook and modules.
    """
    if "MEASURE" not in os.environ:
        return {}
    folder = COVERAGE / session.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = folder / "settings.ini"
    settings.write_text(f"[run]\ndata_file = {folder / 'data'}\n{coverage_settings()}")
    return {"COVERAGE_PROCESS_START": str(settings)}


def coverage_settings() -> str:
    """Return what is measured, as further lines of the section: the checkout's files, also from a module's zip.

    Ansible puts an __init__.py of its own into each folder of such a zip.
    """
    collection = f"*/ansible_collections/{NAMESPACE}/{NAME}"
    return f"""\
branch = true
parallel = true
concurrency = thread, multiprocessing
patch = _exit
disable_warnings = no-data-collected, include-ignored
include =
    {ROOT}/plugins/*
    {ROOT}/extensions/eda/*
    {collection}/plugins/*
omit = */__init__.py
[paths]
collection =
    {ROOT}/
    {collection}/
[report]
include_namespace_packages = true
exclude_also = if __name__ == "__main__":
show_missing = true
precision = 1
"""


def pytest(
    session: nox.Session, *default: str, also: Path | None = None, measure: bool = False, **variables: str
) -> None:
    """Run the tests of the default folders, or of paths among the arguments; ``also`` has further collections."""
    given = any((ROOT / argument.partition("::")[0]).exists() for argument in session.posargs)
    options = [one for one in default if one.startswith("-")] if given else [*default]
    cache = BUILD / "cache" / session.name
    run(
        session,
        *("pytest", f"--junit-xml={results_of(session) / 'pytest.xml'}", "-o", f"cache_dir={cache / 'pytest'}"),
        *options,
        *session.posargs,
        PYTHONPATH=os.pathsep.join([link(session), *([str(also)] if also else [])]),
        HYPOTHESIS_STORAGE_DIRECTORY=str(cache / "hypothesis"),
        **(measured(session) if measure else {}),
        **variables,
    )


@session_of("test")
def unit(session: nox.Session) -> None:
    """Unit tests."""
    pytest(session, "tests/unit", measure=True)


@session_of("test")
def functional(session: nox.Session) -> None:
    """Against the stand-in over real HTTPS; side by side, as most of the time goes by in waiting."""
    others = [f"--ignore=tests/functional/{folder}" for folder in ("awx", "mitogen", "oldest", "ways")]
    pytest(session, "--numprocesses=4", *others, "tests/functional", "tests/simulator/tests", measure=True)


@session_of("oldest")
def oldest(session: nox.Session) -> None:
    """The HTTP client with the oldest libraries that the modules support, and each module on the Python of RHEL 9."""
    client = "tests/unit/plugins/module_utils/_client"
    python = python_of_rhel_9(session) if "3.9" in PYTHONS else ""
    folders = ("tests/functional/oldest", "tests/functional/client", client)
    pytest(session, "--numprocesses=4", *folders, OLDEST_PYTHON=python)


def python_of_rhel_9(session: nox.Session) -> str:
    """Make an environment with the Python and the libraries of RHEL 9; return its interpreter."""
    place, requirements = BUILD / "venv" / "rhel9", ROOT / "tests" / "tools" / "requirements" / "rhel9.txt"
    stamp = place / "complete"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        session.run("python3.9", "-m", "venv", "--clear", str(place), external=True)
        pip = (str(place / "bin" / "python"), "-m", "pip", "install", "--no-compile")
        session.run(*pip, "-r", str(requirements), external=True)
        stamp.write_text(requirements.read_text())
    return str(place / "bin" / "python")


@on_each_core("ways")
def ways(session: nox.Session, core: Core) -> None:
    """In process and as a module, compared on one core; and what signals do."""
    pytest(session, "tests/functional/ways", measure=core == CORES[0])  # Python 3.11: on 3.12 it costs twice as much


@session_of("next", NEXT)
def pre_release(session: nox.Session, core: Core) -> None:
    """The units that know Ansible, and what users do both ways, with the ansible-core that comes next."""
    same_results = "tests/functional/ways/test_same_results.py"
    targets = f"--deselect={same_results}::test_the_integration_targets"
    pytest(session, "tests/unit/plugins/filter", "tests/unit/roles", same_results, targets)


@session_of("mitogen")
def mitogen(session: nox.Session) -> None:
    """Both ways under Mitogen."""
    pytest(session, "tests/functional/mitogen")


@session_of("awx")
def awx(session: nox.Session) -> None:
    """The kit for AWX, with the collection and the tools that AWX itself uses; AWX is a stand-in."""
    run(session, "python", "tests/tools/packaged_collections.py", str(PACKAGED_COLLECTIONS), "awx.awx")
    pytest(session, "tests/functional/awx", also=PACKAGED_COLLECTIONS)


@session_of("test")
def soak(session: nox.Session) -> None:
    """Windows killed at random moments (SOAK_MOMENTS), and random histories of all that writes (HISTORIES)."""
    pytest(session, "tests/soak")


@session_of("coverage")
def coverage(session: nox.Session) -> None:
    """Which lines and branches of the plugins no test reached: unit, functional and the oldest ways together."""
    settings = COVERAGE / "settings.ini"
    COVERAGE.mkdir(parents=True, exist_ok=True)
    settings.write_text(f"[run]\ndata_file = {COVERAGE / 'data'}\n{coverage_settings()}")
    folders = [COVERAGE / name for name in ("unit", "functional", f"ways-{CORES[0].series}")]
    if missing := [folder.name for folder in folders if not any(folder.glob("data.*"))]:
        session.error(f"Nothing was measured in {', '.join(missing)}")
    rc = f"--rcfile={settings}"
    # A file that no test imports counts, too.
    run(session, "coverage", "run", rc, f"--source={ROOT / 'plugins'},{ROOT / 'extensions' / 'eda'}", "-m", "platform")
    run(session, "coverage", "combine", rc, "--keep", "--quiet", str(COVERAGE), *map(str, folders))
    run(session, "coverage", "json", rc, "--quiet", "-o", str(COVERAGE / "report.json"))
    table = session.run("coverage", "report", rc, "--skip-covered", silent=True) or ""
    (COVERAGE / "report.txt").write_text(table)  # tests/tools/summary.py shows it
    print(table)
    found = json.loads((COVERAGE / "report.json").read_text())["totals"]["percent_covered"]
    if found < COVERED:
        session.error(f"{found:.1f} % is less than {COVERED} %")


@session_of("mutation")
def mutation(session: nox.Session) -> None:
    """What the unit tests notice when the code is changed, one small change at a time (docs/reliability.md)."""
    copy(session)
    run(session, "python", "-m", "tests.tools.mutation", str(tree_of(session)), *session.posargs)


# -- ansible-test, in a copy of the collection


def ansible_test(session: nox.Session, core: Core, *command: str, pythons: Sequence[str] = ()) -> None:
    """Run ansible-test of one core, once for each of the Pythons or once for all it knows, and keep its reports."""
    place, results = copy(session), results_of(session)
    run(session, "python", "tests/tools/pip_for_ansible_test.py")
    reports = place / "tests" / "output" / "junit"
    shutil.rmtree(reports, ignore_errors=True)
    try:
        with session.chdir(place):
            for python in [["--python", version] for version in pythons] or [[]]:
                run(session, "ansible-test", *command, *python, *session.posargs)
    finally:
        if reports.exists():
            shutil.copytree(reports, results, dirs_exist_ok=True)


@on_each_core("sanity")
def sanity(session: nox.Session, core: Core) -> None:
    """Ansible's own rules for collections. There are no ignore files, and none may appear."""
    if ignored := [path.name for path in (ROOT / "tests" / "sanity").glob("ignore*")]:
        session.error(f"tests/sanity/{ignored[0]}: fix failures, do not ignore them")
    ansible_test(session, core, "sanity", "--junit")


@on_each_core("sanity")
def units(session: nox.Session, core: Core) -> None:
    """The unit tests as Ansible runs them: the newest core on each Python (or UNITS_ON), the others on their own."""
    pythons = [core.python]
    if core == CORES[-1]:
        pythons = [version for version in os.environ.get("UNITS_ON", "").split() if version in PYTHONS]
    ansible_test(session, core, "units", "--venv", "--num-workers", "2", pythons=pythons)


@on_each_core("sanity")
def integration(session: nox.Session, core: Core) -> None:
    """The modules in playbooks, against the stand-in. As modules the same targets run in "ways"."""
    ansible_test(session, core, "integration", "--venv", pythons=[core.python])


# -- what users install, run and read


def build_collection(session: nox.Session, folder: Path) -> Path:
    """Build the tarball that users install, as the only one in the folder; return its path."""
    place = copy(session)
    shutil.rmtree(folder, ignore_errors=True)
    with session.chdir(place):
        run(session, "ansible-galaxy", "collection", "build", "--output-path", str(folder))
    return next(folder.glob("*.tar.gz"), folder)


def install_collection(session: nox.Session) -> str:
    """Build the collection and install it as a user does; return the folder for ANSIBLE_COLLECTIONS_PATH."""
    folder = tree_of(session) / "installed"
    tarball = build_collection(session, tree_of(session) / "dist")
    with session.chdir(BUILD):  # where nothing else can be mistaken for it
        command = ("ansible-galaxy", "collection", "install", "--force", str(tarball), "-p", str(folder))
        run(session, *command, ANSIBLE_COLLECTIONS_PATH=str(folder))
    return str(folder)


@session_of("events")
def events(session: nox.Session) -> None:
    """The rulebooks in the real ansible-rulebook, which needs Java 17 or newer."""
    java = shutil.which("java") or shutil.which("java", path=os.path.join(os.environ.get("JAVA_HOME", ""), "bin"))
    if not java:
        session.skip("ansible-rulebook needs Java, and there is none on PATH: openjdk-17-jre-headless of Debian")
    pytest(session, "tests/rulebooks", ANSIBLE_COLLECTIONS_PATH=link(session))


@session_of("test")
def metrics(session: nox.Session) -> None:
    """Metrics, alert rules and the dashboard by the measure of Prometheus itself, which is promtool."""
    if not shutil.which("promtool"):
        session.skip("there is no promtool on PATH: it is in the package prometheus of Debian")
    pytest(session, "tests/metrics")


@session_of("pages")
def pages(session: nox.Session) -> None:
    """The pages of aem_report in a real browser, which axe-core looks at, too; needs Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next((path for name in names if (path := shutil.which(name))), None)
    if not browser:
        session.skip("The pages are looked at in Chromium, and there is none on PATH: chromium of Debian")
    pytest(session, "tests/pages", CHROMIUM=browser)


@session_of("play")
def build(session: nox.Session) -> None:
    """The tarball, in .build/dist."""
    build_collection(session, BUILD / "dist")


@session_of("release")
def release(session: nox.Session) -> None:
    """What is published, in .build/release: built twice and compared; signed if GPG_KEY names a key."""
    builds = [build_collection(session, tree_of(session) / f"dist{number}") for number in (1, 2)]
    folder = BUILD / "release"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    run(session, "python", "-m", "tests.tools.release", *map(str, builds), str(folder))


@session_of("play")
def demo(session: nox.Session) -> None:
    """Stop and start a task with the installed collection: of a stand-in, or of a real server."""
    connection = {} if "--stand-in" in session.posargs else CONNECTION
    command = ("python", "-m", "tests.tools.demo", *session.posargs)
    run(session, *command, ANSIBLE_COLLECTIONS_PATH=install_collection(session), **connection)


@session_of("play")
def window(session: nox.Session) -> None:
    """The playbooks of a maintenance window, by name and from the tarball."""
    run(session, "python", "-m", "tests.tools.window", ANSIBLE_COLLECTIONS_PATH=install_collection(session))


@session_of("play")
def simulator(session: nox.Session) -> None:
    """The stand-in Enterprise Manager, until Ctrl-C."""
    lines = (
        f'export PATH={shlex.quote(session.bin)}:"$PATH"',
        f"export ANSIBLE_COLLECTIONS_PATH={shlex.quote(link(session))}",
    )
    paste = [f"--paste={line}" for line in lines]
    run(session, "python", "-m", "tests.simulator", *paste, *session.posargs)


@session_of("bench")
def bench(session: nox.Session) -> None:
    """How fast both ways to run are, beside what users would pick otherwise."""
    place, peers = link(session), ("ansible.netcommon", "ansible.utils")
    run(session, "python", "tests/tools/packaged_collections.py", str(PACKAGED_COLLECTIONS), *peers)
    paths = f"{place}{os.pathsep}{PACKAGED_COLLECTIONS}"
    run(session, "python", "-m", "tests.benchmarks", *session.posargs, ANSIBLE_COLLECTIONS_PATH=paths, PYTHONPATH=place)


@session_of("test")
def molecule(session: nox.Session) -> None:
    """Playbooks as users write them, with the check that a second run changes nothing."""
    with session.chdir(copy(session)):  # the scenarios, and config.yml with what they share, are found from here
        run(session, "molecule", "test", "--all", *session.posargs, ANSIBLE_COLLECTIONS_PATH=str(tree_of(session)))


@session_of("importer")
def importer(session: nox.Session) -> None:
    """What Galaxy and Automation Hub check when the tarball is uploaded."""
    tarball = build_collection(session, tree_of(session) / "dist")
    run(session, "python", "tests/tools/packaged_collections.py", str(PACKAGED_COLLECTIONS), "awx.awx")
    options = {"GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true", "GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER": "true"}
    options["PYTHONPATH"] = str(PACKAGED_COLLECTIONS)  # or it would not know the modules of awx_setup.yml
    with session.chdir(tarball.parent):  # where it leaves its report
        log = session.run("python", "-m", "galaxy_importer.main", str(tarball), env=options, silent=True) or ""
    print(log)
    # It exits with 0 whatever it finds (so does build-import-check of antsibull-nox); only the log says.
    if complaints := re.findall(r"^(?:WARNING|ERROR|CRITICAL).*", log, re.MULTILINE):
        session.error(f"{len(complaints)} complaints")
    if log and "Importer processing completed successfully" not in log:
        session.error("The importer did not end well")


@session_of("docs")
def docs(session: nox.Session) -> None:
    """The documentation site, in .build/docs/html: the guides and a page for each plugin; a warning is a failure."""
    place, site = copy(session), BUILD / "docs"
    shutil.rmtree(site, ignore_errors=True)
    source = site / "source"
    source.mkdir(parents=True, mode=0o700)  # antsibull-docs writes to no folder that others may write to
    for page in [*(place / "docs").glob("*.md"), *(place / "tests" / "docsite").iterdir()]:
        shutil.copy2(page, source)
    pages = ("collection", "--use-current", "--cleanup", "similar-files", "--dest-dir", str(source))
    collections = {"ANSIBLE_COLLECTIONS_PATH": str(tree_of(session))}
    run(session, "antsibull-docs", *pages, f"{NAMESPACE}.{NAME}", **collections)
    run(session, "sphinx-build", "-W", "--keep-going", "-q", "-b", "html", str(source), str(site / "html"))
    session.log(f"The documentation is at {(site / 'html' / 'index.html').as_uri()}")


@session_of("test")
def docs_tables(session: nox.Session) -> None:
    """Write the generated pages of docs/, and extensions/monitoring/, anew."""
    for module in ("api_docs", "monitoring"):
        name = f"ansible_collections.{NAMESPACE}.{NAME}.tests.tools.{module}"
        run(session, "python", "-m", name, PYTHONPATH=link(session))


@nox.session(name="awx-collection", venv_backend="none")
def awx_collection(session: nox.Session) -> None:
    """Install awx.awx where the session ansible-lint finds what tests/tools/requirements/collections.yml names."""
    command = ("tests/tools/packaged_collections.py", str(PACKAGED_COLLECTIONS), "awx.awx")
    session.run(sys.executable, *command, external=True)


@session_of("repository")
def repository(session: nox.Session) -> None:
    """What is in the repository for others: its addresses, and what GitHub runs and shows."""
    run(session, "python", "-m", "tests.tools.addresses")
    github = ROOT / ".github"
    files = {
        "github-workflows": sorted(github.glob("workflows/*.yml")),
        "dependabot": [github / "dependabot.yml"],
        "github-issue-config": [github / "ISSUE_TEMPLATE" / "config.yml"],
        "github-issue-forms": sorted(
            {*github.glob("ISSUE_TEMPLATE/*.yml")} - {github / "ISSUE_TEMPLATE" / "config.yml"}
        ),
    }
    for schema, paths in files.items():
        run(session, "check-jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, paths))
    run(session, "zizmor", "--offline", "--persona", "pedantic", "--no-progress", "--quiet", str(github))


@session_of("changelog")
def changelog(session: nox.Session) -> None:
    """Check the fragments of the changelog; with the argument "release", turn them into release notes."""
    run(session, "antsibull-changelog", *(session.posargs or ["lint"]))
