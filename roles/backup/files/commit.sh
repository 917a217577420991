#!/bin/sh
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Commits what has changed in the folder $BACKUP_FOLDER, with $BACKUP_MESSAGE, if the folder is in a repository of Git.
# Whatever else stops Git is a failure, or nobody would know that nothing is committed.
set -eu
cd -- "$BACKUP_FOLDER"
if ! command -v git >/dev/null; then
    echo "not in a repository: git is not installed"
    exit 0
fi
if ! answer=$(LC_ALL=C git rev-parse --is-inside-work-tree 2>&1); then
    case $answer in
    *"not a git repository"*)
        echo "not in a repository"
        exit 0
        ;;
    esac
    echo "$answer" >&2
    exit 1
fi
# The repository of a playbook, say, with the backups below it
if git check-ignore --quiet -- .; then
    echo "not in a repository: the one around it ignores this folder"
    exit 0
fi
git add --all -- .
if git diff --cached --quiet -- .; then
    echo "nothing has changed"
else
    # As a service, or in a container, there is often no name that Git could use.
    if ! git var GIT_COMMITTER_IDENT >/dev/null 2>&1; then
        export GIT_COMMITTER_NAME=backup GIT_COMMITTER_EMAIL=backup@localhost
    fi
    if ! git var GIT_AUTHOR_IDENT >/dev/null 2>&1; then
        export GIT_AUTHOR_NAME=backup GIT_AUTHOR_EMAIL=backup@localhost
    fi
    git commit --quiet --message "$BACKUP_MESSAGE" -- .
    echo "committed $(git rev-parse HEAD)"
fi
