# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Give ansible-test the script from which it installs pip into its environments.

It downloads the script from a host that is not reachable everywhere, and has no other way. Where the download fails,
the same version of pip from the package index does the same. Runs in an environment with ansible-core.
"""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import ansible_test

SCRIPT = """\
import runpy
import sys
sys.path.insert(0, {wheel!r})
wanted = [option for option in sys.argv[1:] if option not in ('--no-setuptools', '--no-wheel')]
sys.argv = ['pip', 'install', *wanted]
runpy.run_module('pip', run_name='__main__', alter_sys=True)
"""


def main() -> None:
    """Write the script where ansible-test looks for it before it downloads it."""
    package = Path(next(iter(ansible_test.__path__)))
    setup = (package / "_util/target/setup/requirements.py").read_text(encoding="utf-8")
    pins = (package / "_internal/python_requirements.py").read_text(encoding="utf-8")
    url = re.search(r"url = '(\S+)' % pip_version", setup)
    pin = re.search(r"\bpip='([\d.]+)'", pins)
    if not url or not pin:
        return  # this core works in another way
    version = pin[1]
    cache = Path.home() / ".ansible" / "test" / "cache"
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return
    cache.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(url[1] % version, timeout=20) as download:
            content = download.read().decode()
    except OSError:
        options = ("--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(cache))
        subprocess.run([sys.executable, "-m", "pip", "download", *options, f"pip=={version}"], check=True)
        content = SCRIPT.format(wheel=str(cache / f"pip-{version}-py3-none-any.whl"))
    script.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
