#!/bin/sh
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Says which files in the folder $BACKUP_FOLDER are not as its SHA256SUMS says, or were added to it; fails if there are any.
set -eu
cd -- "$BACKUP_FOLDER"
found=0
sha256sum --check --quiet --strict SHA256SUMS || found=1
# Only those that would be restored: the folder may hold others, such as a plan or those of Git. In a line of the
# checksums the name begins after the sum and two signs.
added=$(
    find . -name '.?*' -prune -o -type f \( -path './*/tasks/*.json' -o -path './*/endpoints/*.json' \
        -o -path './*/server.json' -o -path './*/schedules.json' -o -path './*/acl.json' \) -print | LC_ALL=C sort |
        awk '
            { file = FILENAME == "SHA256SUMS" ? substr($0, 67) : $0; sub("^[.]/", "", file) }
            FILENAME == "SHA256SUMS" { known[file]; next }
            !(file in known) { print file ": was added" }
        ' SHA256SUMS -
)
if [ -n "$added" ]; then
    echo "$added"
    found=1
fi
exit $found
