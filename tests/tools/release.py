# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make of two builds what is released: the tarball, its SBOM, SHA256SUMS and, with a key, signatures.

ansible-galaxy stamps a tarball with the time of its build and lists files as the file system does. Here both are made
equal, so that anybody who builds the same commit gets the same bytes.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import uuid
from pathlib import Path
from typing import Any

import yaml
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packaging.requirements import Requirement

from .addresses import RESERVED, ROOT

FILES, MANIFEST = "FILES.json", "MANIFEST.json"


class ReleaseError(Exception):
    """Nothing can be released, for a reason that is the maintainer's to fix."""


def as_json(content: Any) -> bytes:
    """Return JSON as ansible-galaxy writes it."""
    return json.dumps(content, indent=True).encode()


def reproducible(tarball: Path, moment: int) -> bytes:
    """Return the same collection as a tarball in which order and times depend on nothing but its content."""
    with tarfile.open(tarball) as archive:
        members = {one.name: one for one in archive.getmembers()}
        contents = {name: file.read() for name, one in members.items() if (file := archive.extractfile(one))}
    listing = json.loads(contents[FILES])
    listing["files"].sort(key=lambda one: one["name"])
    contents[FILES] = as_json(listing)
    manifest = json.loads(contents[MANIFEST])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(contents[FILES]).hexdigest()
    contents[MANIFEST] = as_json(manifest)
    plain, packed = io.BytesIO(), io.BytesIO()
    # Galaxy reads the manifest first
    order = [MANIFEST, FILES, *sorted(members.keys() - {MANIFEST, FILES})]
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member in map(members.__getitem__, order):
            content = contents.get(member.name, b"")
            member.size, member.mtime, member.pax_headers = len(content), moment, {}
            archive.addfile(member, io.BytesIO(content))
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=moment) as compressed:
        compressed.write(plain.getvalue())
    return packed.getvalue()


def sbom(galaxy: dict[str, Any], tarball: bytes, moment: int) -> str:
    """Return the software bill of materials in CycloneDX's JSON: the collection and what it needs at run time."""
    name, version = f"{galaxy['namespace']}.{galaxy['name']}", galaxy["version"]
    digest = hashlib.sha256(tarball).hexdigest()
    collection = Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=f"{name}@{version}",
        description=galaxy["description"],
        licenses=[LicenseExpression(galaxy["license"][0])],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
    )
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(one) for one in requirements if one and one[0] != "#"]
    wanted.append(Requirement(f"ansible-core{runtime['requires_ansible']}"))
    needed = [
        # The oldest that will do: which release is used is the user's choice.
        Component(type=ComponentType.LIBRARY, name=one.name, version=str(one.specifier), bom_ref=str(one))
        for one in wanted
    ]
    bom = Bom(components=needed, serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest))
    bom.metadata.component = collection
    bom.metadata.timestamp = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
    bom.register_dependency(collection, needed)
    return JsonV1Dot6(bom).output_as_string(indent=2)


def sign(path: Path, key: str) -> None:
    """Write a detached signature beside a file, with the key of that name in GnuPG's keyring."""
    command = ["gpg", "--batch", "--yes", "--local-user", key, "--armor", "--detach-sign", str(path)]
    if subprocess.run(command, check=False).returncode:
        raise ReleaseError(f"gpg did not sign {path.name} with the key {key}")


def release(first: Path, second: Path, folder: Path, tag: str, key: str) -> None:
    """Write all files of the release into the empty folder."""
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    homeless = RESERVED.fullmatch(galaxy["repository"].split("/")[2])
    if tag and tag != f"v{galaxy['version']}":
        raise ReleaseError(f"The tag is {tag}, and the version in galaxy.yml is {galaxy['version']}")
    if tag and homeless:
        raise ReleaseError("galaxy.yml still has a reserved name for the project's address: set the real one")
    # git's time of the commit, so that a later build of it is the same
    log = ["git", "log", "-1", "--format=%ct"]
    moment = int(os.environ.get("SOURCE_DATE_EPOCH") or subprocess.check_output(log, cwd=ROOT, text=True))
    tarball = reproducible(first, moment)
    if tarball != reproducible(second, moment):
        raise ReleaseError("Two builds of the same files differ")
    stem = f"{galaxy['namespace']}-{galaxy['name']}-{galaxy['version']}"
    (folder / f"{stem}.tar.gz").write_bytes(tarball)
    (folder / f"{stem}.cdx.json").write_text(sbom(galaxy, tarball, moment), encoding="utf-8")
    with tarfile.open(folder / f"{stem}.tar.gz") as archive:
        # What ansible-galaxy checks a signature of; it has the checksums of all files
        (folder / f"{stem}.{MANIFEST}").write_bytes(archive.extractfile(MANIFEST).read())  # type: ignore[union-attr]
    files = sorted(folder.iterdir())
    sums = folder / "SHA256SUMS"
    sums.write_text("".join(f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in files))
    if key:
        sign(folder / f"{stem}.{MANIFEST}", key)
        sign(sums, key)
    print(f"\n{folder.relative_to(ROOT)}:", *sorted(one.name for one in folder.iterdir()), sep="\n  ")
    print("Two builds gave the same bytes." + ("" if key else " Nothing is signed: give a key with GPG_KEY=..."))
    if homeless:
        print("Do not publish it: galaxy.yml has a reserved name for the project's address.")


def main() -> int:
    """Release what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path, help="a tarball")
    parser.add_argument("second", type=Path, help="another build of the same files")
    parser.add_argument("folder", type=Path, help="where to write the release")
    arguments = parser.parse_args()
    try:
        release(
            arguments.first,
            arguments.second,
            arguments.folder,
            os.environ.get("TAG", ""),
            os.environ.get("GPG_KEY", ""),
        )
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
