#!/bin/sh
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Writes SHA256SUMS into the folder $BACKUP_FOLDER, for `sha256sum --check`; says whether that has changed anything.
set -eu
umask 077
cd -- "$BACKUP_FOLDER"
# Not what is hidden: .git, and a file that is being written
find . -name '.?*' -prune -o -type f -name '*.json' -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum -- >.SHA256SUMS.new
if cmp -s .SHA256SUMS.new SHA256SUMS; then
    rm -f -- .SHA256SUMS.new
    echo unchanged
else
    mv -f -- .SHA256SUMS.new SHA256SUMS
    echo written
fi
