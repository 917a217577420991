#!/usr/bin/python
# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aem_estate
short_description: Keep the tasks, endpoints, schedules and permissions of many servers as files, and apply them
version_added: 1.0.0
author:
  - dataops.qlik_em contributors (!UNKNOWN)
description:
  - Writes the objects of servers into a folder that you can keep in Git, one file for each object. The files contain no
    time stamps and no secrets, and are sorted where the order has no meaning. So Git shows no change as long as nothing
    has changed.
  - An estate contains the endpoints, the tasks and the schedules of each Replicate server, and the ACL of the server if
    it has its own. Loggers, notifications and settings of servers are not part of it, see
    M(dataops.qlik_em.aem_export).
  - The module also compares such files with the servers, writes a plan that somebody can approve, and applies it.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details:
      - Servers are read in check mode, too. Everything that O(state=applied) refuses before its first write is refused
        with the same messages. Check mode cannot predict what a server refuses, or whether endpoints connect.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: partial
    details:
      - The diff shows only the differences, without secrets. It has at most 500 places in files or objects, fewer if
        their texts are long, and says how many more there are.
      - O(state=backed_out) has no diff.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: full
    details: An applied plan is not applied again. O(state=planned) is changed as long as there is something to do.
options:
  state:
    description:
      - V(gathered) writes the objects of the servers into the files. Files that would not change are not touched. The
        files of objects that a server no longer has are removed.
      - V(planned) compares the files, with the overlay, with the servers, and writes O(plan).
      - V(applied) applies exactly the plan. It refuses if the files, the overlay or the servers have changed since the
        plan was made. If anything fails, the plan is backed out. After a run that was killed, the same task continues
        from the current state, or continues the back-out. A server to which the same user applies another plan at that
        time, on the same machine, is refused.
      - V(backed_out) undoes the changes of the last run of the plan, whether that finished its work or not. Changes
        that somebody else has made to the same objects since are overwritten. If a back-out without O(force) left parts
        of tasks, the same task with O(force=true) backs these out, and touches nothing else.
    type: str
    choices:
      - gathered
      - planned
      - applied
      - backed_out
    default: gathered
  path:
    description:
      - The folder of the estate, where the module runs. The folder above it must exist. A new folder is readable by its
        owner only (mode 0700), and so are new files (mode 0600).
      - It belongs to one Enterprise Manager, whose address is in its C(estate.json). A folder that was gathered from
        another one is refused, because servers with the same name would be mixed up.
      - It may contain other files, such as those of Git. Links within it are not followed.
    type: path
    required: true
  include:
    description:
      - The servers and tasks to select. A selector without O(include[].name) selects a whole server. One with it
        selects tasks, the endpoints that they use, and the schedules that name one of them.
      - You cannot select by state or tag here, because the files contain neither.
      - A Compose server is left out. If it is named literally, that is a failure.
      - It may also be a text in JSON, as from a survey of AWX.
      - Required with O(state=gathered).
    type: list
    elements: dict
    suboptions:
      server:
        description: The name of the server, or a glob (V(*), V(?), V([abc])). It is case-sensitive.
        type: str
      name:
        description: The name of the task, or a glob.
        type: str
  on_server_error:
    description:
      - How to treat a server that cannot be read, for example because it is not connected. In any case its files stay
        as they are, and those of the other servers are written.
      - V(fail) fails at the end, and V(skip) warns.
    type: str
    choices:
      - fail
      - skip
    default: fail
  parallel:
    description:
      - How many servers are read at a time, from 1 to 256. It is also the number of connections, and of exports in
        memory at a time.
    type: int
    default: 10
  parallel_per_server:
    description: How many tasks of a server are stopped or started at a time. If not set, as many as O(parallel).
    type: int
  overlay:
    description:
      - A file, in JSON or YAML, that describes how the environment of the servers differs from the files. It is used
        with O(state=planned) and O(state=applied). See the guide to estates as code.
    type: path
  plan:
    description:
      - The file of the plan, in JSON, where the module runs. It contains differences and fingerprints, but no secrets.
        Beside it is a page for readers, with the extension C(.md).
      - When it is applied, more files are written beside it, with its name and C(.before) (the former objects, with
        secrets as the server encrypts them, mode 0600), C(.run) and C(.journal). Keep them together as long as the plan
        may have to be backed out.
      - Required unless O(state=gathered).
    type: path
  secret_places:
    description:
      - For O(state=gathered), the places of secrets whose names do not show it. The files get a placeholder for them,
        as for all other secrets.
      - Write places as diffs show them, without the server, such as C(databases/Shop/db_settings/code). V(*) stands for
        any text.
    type: list
    elements: str
  secrets:
    description:
      - The secrets of endpoints, which are not in the files. It is a mapping by server, then by endpoint, in the form
        of the settings of the endpoint.
      - A new endpoint needs all of its secrets. Secrets of an existing endpoint are sent only if another setting of it
        changes. To change only a secret, use M(dataops.qlik_em.aem_endpoint).
    type: dict
  prune:
    description:
      - How to treat tasks and endpoints that are on the servers and not in the files, within O(include).
      - V(report) lists them in the plan, and they stay.
      - V(confirm) makes the plan delete them, endpoints only if no task that stays uses them. To apply such a plan, set
        it again, with O(force=true). Schedules and ACLs are never deleted.
    type: str
    choices:
      - report
      - confirm
    default: report
  force:
    description:
      - Allows the deletions of the plan.
      - Also allows a back-out to delete a task and import it anew, if an import cannot remove what was added to it. The
        task then loses its position. Without O(force), the additions stay, and are listed in RV(left).
    type: bool
    default: false
  timeout:
    description:
      - How long the server may take to stop or start a task, in seconds. After that the module keeps watching it.
    type: int
    default: 60
  wait_timeout:
    description: How long to wait until a task is stopped or running, or an import has taken effect, in seconds.
    type: int
    default: 300
  wait_sleep:
    description: How long to pause between two readings, in seconds, at least 0.1.
    type: float
    default: 2
notes:
  - Needs the roles Admin on Enterprise Manager and on the servers, Designer on All Tasks and Operator on All Endpoints.
seealso:
  - module: dataops.qlik_em.aem_export
  - module: dataops.qlik_em.aem_import
"""

EXAMPLES = r"""
# Needs the role Admin on Enterprise Manager. The other tasks take the login from QLIK_EM_USERNAME and QLIK_EM_PASSWORD.
- name: Write all servers into a folder
  dataops.qlik_em.aem_estate:
    username: admin@corp.example
    password: "{{ vault_qlik_em_admin_password }}"
    state: gathered
    path: /var/tmp/estate
    include:
      - server: Replicate-*
    on_server_error: skip

- name: Write the tasks of one application, with their endpoints and schedules
  dataops.qlik_em.aem_estate:
    state: gathered
    path: /var/tmp/estate-of-orders
    include:
      - server: Replicate-Prod
        name: orders*

- name: Plan the changes that make the servers match the files
  dataops.qlik_em.aem_estate:
    state: planned
    path: /var/tmp/estate
    plan: /var/tmp/plan.json
    include:
      - server: Replicate-*

- name: Apply the approved plan
  dataops.qlik_em.aem_estate:
    state: applied
    path: /var/tmp/estate
    plan: /var/tmp/plan.json
    include:
      - server: Replicate-*

- name: Back out the plan
  dataops.qlik_em.aem_estate:
    state: backed_out
    path: /var/tmp/estate
    plan: /var/tmp/plan.json
"""

RETURN = r"""
plan:
  description: The file of the plan. It is complete, even if RV(steps) and other results are shortened.
  returned: O(state=planned) and O(state=applied)
  type: str
  sample: /var/lib/qlik/plan.json
page:
  description: The page of the plan, in Markdown.
  returned: O(state=planned) and O(state=applied)
  type: str
  sample: /var/lib/qlik/plan.md
fingerprint:
  description: A fingerprint of all changes. Two plans with the same changes have the same fingerprint.
  returned: O(state=planned) and O(state=applied)
  type: str
  sample: b19ffafad665f12bf51f10922bf5d83ee4004cdb7c0bff7d25ee8472c242e4b0
steps:
  description:
    - The steps that will be done, or were done, in order. C(kind) is V(endpoints), V(tasks), V(schedules) or V(acl),
      which has no C(name). C(action) is V(create), V(update), V(reorder) or V(delete). C(stops) shows whether a task is
      running, and has to be stopped.
    - This, RV(impossible), RV(unmanaged), RV(secrets_needed) and RV(left) show no more than 500 items each, fewer if
      their texts are long, and RV(truncated) says how many are missing.
  returned: O(state=planned) and O(state=applied)
  type: list
  elements: dict
  sample:
    - {server: Replicate-Prod, kind: tasks, name: orders, action: update, stops: true}
impossible:
  description: Members that are not in the files, and that an import cannot remove, as the places of each object.
  returned: O(state=planned) and O(state=applied)
  type: list
  elements: dict
  sample:
    - {server: Replicate-Prod, kind: tasks, name: orders, places: ["tasks/orders/source/rep_source/database_name"]}
unmanaged:
  description: Objects that are on the servers and not in the files, within O(include).
  returned: O(state=planned) and O(state=applied)
  type: list
  elements: dict
  sample:
    - {server: Replicate-Prod, kind: tasks, name: scratch}
secrets_needed:
  description: The new endpoints whose secrets must be given in O(secrets) to apply the plan.
  returned: O(state=planned) and O(state=applied)
  type: list
  elements: dict
  sample:
    - {server: Replicate-Prod, kind: endpoints, name: Shop, places: ["databases/Shop/db_settings/password"]}
truncated:
  description: How many items of RV(steps) and similar lists are not shown, because there are too many.
  returned: with RV(steps) or RV(left)
  type: int
  sample: 0
back_out:
  description:
    - V(backed_out) if everything but RV(left) is backed out. V(backing_out) if that did not succeed yet; run the same
      task again. V(nothing) if there was nothing to back out. In check mode, the progress of the run.
  returned: O(state=backed_out), and failures of O(state=applied) after the first write
  type: str
  sample: backed_out
left:
  description: Objects that the API cannot back out, or not without O(force).
  returned: O(state=backed_out), and failures of O(state=applied) that were backed out
  type: list
  elements: str
  sample: ['the schedule "nightly" of server "Replicate-Prod" is new and cannot be removed; it is disabled']
path:
  description: The folder.
  returned: success
  type: str
  sample: /var/lib/qlik/estate
servers:
  description: One row for each server, also on a failure.
  returned: O(state=gathered), on success and failures after the servers were read
  type: list
  elements: dict
  contains:
    server:
      description: The server.
      returned: always
      type: str
      sample: Replicate-Prod
    endpoints:
      description: How many endpoints are selected. 0 if the server could not be read.
      returned: always
      type: int
      sample: 12
    tasks:
      description: How many tasks.
      returned: always
      type: int
      sample: 34
    schedules:
      description: How many schedules.
      returned: always
      type: int
      sample: 3
    acls:
      description: 1 if the server has an ACL of its own, else 0.
      returned: always
      type: int
      sample: 1
    written:
      description: How many files were written (or would be, in check mode).
      returned: always
      type: int
      sample: 2
    removed:
      description: How many files of deleted objects were removed (or would be).
      returned: always
      type: int
      sample: 0
    unchanged:
      description: How many files did not change.
      returned: always
      type: int
      sample: 46
    changed:
      description: Whether any of its files differed.
      returned: always
      type: bool
      sample: true
    failed:
      description: Whether the server could not be read, or a file could not be written.
      returned: always
      type: bool
      sample: false
    skipped:
      description: The same with O(on_server_error=skip).
      returned: always
      type: bool
      sample: false
    error_code:
      description: The error code of Enterprise Manager. V(null) if there is none.
      returned: always
      type: str
      sample: AEM_SERVER_NOT_CONNECTED
    msg:
      description: The reason for the failure.
      returned: always
      type: str
      sample: ""
    hint:
      description: How to fix the failure. Often empty.
      returned: always
      type: str
      sample: ""
    elapsed:
      description: How long it took, in seconds.
      returned: always
      type: float
      sample: 0.42
counts:
  description:
    - How many servers were selected, and how many of them changed, failed, were skipped or unchanged.
    - With O(state=planned) and O(state=applied), how many objects are (or were) C(created), C(updated), C(reordered)
      and C(deleted).
  returned: on success, and with O(state=gathered) on failures after the servers were read
  type: dict
  sample:
    selected: 300
    changed: 2
    failed: 0
    skipped: 1
    unchanged: 297
elapsed:
  description: How long it took, in seconds.
  returned: always
  type: float
  sample: 5.3
diff:
  description: The differences of the files, place by place. A new or removed file is named as a whole.
  returned: in check mode and in diff mode
  type: dict
  sample:
    before:
      Replicate-Prod/tasks/orders/task_settings/target_settings/batch_size: 1000
    after:
      Replicate-Prod/tasks/orders/task_settings/target_settings/batch_size: 5000
      Replicate-Prod/tasks/returns.json: a new file
    before_header: /var/lib/qlik/estate
    after_header: /var/lib/qlik/estate
msg:
  description:
    - The reason for the failure. If servers could not be read, a line for each of them, at most 20, then how many more.
  returned: failure
  type: str
  sample: |-
    1 of 3 servers failed.
    server "Replicate-Down": ExportAll of server "Replicate-Down" failed: The requested server "Replicate-Down" cannot
    be reached at this time.
error_code:
  description: The error code of Enterprise Manager.
  returned: failures that Enterprise Manager answered
  type: str
  sample: AEM_SERVER_NOT_FOUND
http_status:
  description: The HTTP status. Method failures are 500.
  returned: failures with an answer
  type: int
  sample: 500
hint:
  description: How to fix the failure.
  returned: most failures
  type: str
  sample: Correct the cause and run this again.
"""

from ansible_collections.dataops.qlik_em.plugins.module_utils._client.masking import all_of
from ansible_collections.dataops.qlik_em.plugins.module_utils._estates import state
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.arguments import Spec
from ansible_collections.dataops.qlik_em.plugins.module_utils._run.module import run_as_module

SPEC = Spec(
    parallel_option="parallel",
    is_timed=True,
    required_if=[("state", state, ["plan"]) for state in ("planned", "applied", "backed_out")],
    secret_options={"secrets": all_of},
    **state.estate_options(),
)
run = state.ensure


def main() -> None:
    """Run the module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
