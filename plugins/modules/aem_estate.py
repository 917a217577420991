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
  - Writes what servers have into a folder that is made for Git, one file for each object. It is sorted where order has
    no meaning, without stamps, and without secrets. So Git shows no change as long as nothing has changed.
  - An estate holds the endpoints, the tasks and the schedules of each Replicate server, and the ACL of the server if it
    has one of its own. Loggers, notifications and settings of servers do not belong to it, see
    M(dataops.qlik_em.aem_export).
  - The other way round, it compares such files with servers and writes a plan, which somebody approves, and applies it.
extends_documentation_fragment:
  - dataops.qlik_em.connection
  - dataops.qlik_em.attributes
attributes:
  check_mode:
    description: Can run in check mode without changing anything.
    support: full
    details:
      - Servers are read in check mode, too. All that O(state=applied) refuses before its first write is refused, in the
        same words. What a server may refuse, and whether endpoints connect, is not foreseen.
  diff_mode:
    description: Returns what has changed (or would have) in diff mode.
    support: partial
    details:
      - The diff shows just what differs. Secrets are not shown. Of more than 500 places in files or objects, fewer if
        their texts are long, it says how many more.
      - O(state=backed_out) has none.
  idempotent:
    description: Run twice, it changes nothing the second time.
    support: full
    details: A plan that was applied is done. O(state=planned) is changed as long as there is something to do.
options:
  state:
    description:
      - V(gathered) makes the files be as the servers are. Files that are the same are not touched. The files of objects
        that a server no longer has are removed.
      - V(planned) compares the files, under the overlay, with the servers, and writes O(plan).
      - V(applied) does exactly the plan. It refuses if the files, the overlay or the servers are not as they were
        when the plan was made. If anything fails, what was done is put back. After a run that was killed, the same
        task goes on from what is there, or goes on with putting back. A server to which the same user applies another
        plan at that time, on the same machine, is refused.
      - V(backed_out) puts back what the last run of the plan has changed, whether it came to its end or not. What
        somebody else has changed since in the same objects is overwritten. After a back-out without O(force) that left
        something of tasks, the same with O(force=true) puts that back, and touches nothing else.
    type: str
    choices:
      - gathered
      - planned
      - applied
      - backed_out
    default: gathered
  path:
    description:
      - The folder of the estate, where the module runs. The folder above it must exist. A new folder is for its owner
        only (mode 0700), and so are new files (mode 0600).
      - It belongs to one Enterprise Manager, whose address is in its C(estate.json). A folder that was gathered from
        another one is refused, as servers of one name would be mixed up.
      - It may hold other files, such as those of Git. Within it no link is followed.
    type: path
    required: true
  include:
    description:
      - What of the servers is meant. A selector without O(include[].name) means all of a server. One with it means
        tasks, the endpoints that these use, and the schedules that name one of them.
      - States and tags do not select here, as files know neither.
      - A server of Compose is left out, unless it is named literally, which is a failure.
      - It may also be a text in JSON, as a survey of AWX gives it.
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
      - What to do if a server cannot be read, for example because it is not connected. In any case its files stay as
        they are, and those of the other servers are written.
      - V(fail) fails at the end, and V(skip) warns.
    type: str
    choices:
      - fail
      - skip
    default: fail
  parallel:
    description:
      - How many servers are read at a time, from 1 to 256. Also the number of connections. So many exports are in
        memory at a time.
    type: int
    default: 10
  parallel_per_server:
    description: How many tasks of a server are stopped or started at a time. Without it, as many as O(parallel).
    type: int
  overlay:
    description:
      - A file that says how the environment of the servers differs from the files, in JSON or YAML. It is for
        O(state=planned) and O(state=applied). See the guide to estates as code.
    type: path
  plan:
    description:
      - The file of the plan, in JSON, where the module runs. It holds differences and fingerprints, and no secrets.
        Beside it is the same as a page to read, with the ending C(.md).
      - Further files are beside it once it is applied, named as the plan with C(.before) (what was there, with secrets
        as the server encrypts them, mode 0600), C(.run) and C(.journal). Keep them together as long as the plan may
        have to be backed out.
      - Required unless O(state=gathered).
    type: path
  secret_places:
    description:
      - For O(state=gathered), where further secrets are, whose names do not say so. The files get a placeholder for
        them, as for all other secrets.
      - Places as diffs show them, without the server, such as C(databases/Shop/db_settings/code). V(*) stands for any
        text.
    type: list
    elements: str
  secrets:
    description:
      - The secrets of endpoints, which are not in the files. By server, then by endpoint, a mapping as the settings of
        the endpoint have it.
      - A new endpoint needs all of its secrets. To one that exists they are sent only if something else of it changes.
        To give one a new secret, use M(dataops.qlik_em.aem_endpoint).
    type: dict
  prune:
    description:
      - What becomes of tasks and endpoints that are on the servers and not in the files, within O(include).
      - V(report) names them in the plan, and they stay.
      - V(confirm) makes the plan delete them, endpoints only if nothing that stays uses them. To apply such a plan,
        give it again, with O(force=true). Schedules and ACLs are never deleted.
    type: str
    choices:
      - report
      - confirm
    default: report
  force:
    description:
      - Allows to delete what the plan deletes.
      - Also allows a back-out to delete a task and import it anew, if an import cannot remove again what was added to
        it. The task then does not know how far it had read. Without it, what was added stays, and is in RV(left).
    type: bool
    default: false
  timeout:
    description: How long the server may take to stop or start a task, in seconds. After that it is watched further.
    type: int
    default: 60
  wait_timeout:
    description: How long to wait until a task is stopped or runs, or an import shows, in seconds.
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

- name: Write the tasks of one application, and what they use
  dataops.qlik_em.aem_estate:
    state: gathered
    path: /var/tmp/estate-of-orders
    include:
      - server: Replicate-Prod
        name: orders*

- name: See what it takes to make the servers be as the files say
  dataops.qlik_em.aem_estate:
    state: planned
    path: /var/tmp/estate
    plan: /var/tmp/plan.json
    include:
      - server: Replicate-*

- name: Do what was approved
  dataops.qlik_em.aem_estate:
    state: applied
    path: /var/tmp/estate
    plan: /var/tmp/plan.json
    include:
      - server: Replicate-*

- name: Take it back
  dataops.qlik_em.aem_estate:
    state: backed_out
    path: /var/tmp/estate
    plan: /var/tmp/plan.json
"""

RETURN = r"""
plan:
  description: The file of the plan, which has all of what RV(steps) and others may show a part of.
  returned: O(state=planned) and O(state=applied)
  type: str
  sample: /var/lib/qlik/plan.json
page:
  description: The page of the plan, in Markdown.
  returned: O(state=planned) and O(state=applied)
  type: str
  sample: /var/lib/qlik/plan.md
fingerprint:
  description: What identifies a plan. It is the same as long as the same objects change from the same to the same.
  returned: O(state=planned) and O(state=applied)
  type: str
  sample: b19ffafad665f12bf51f10922bf5d83ee4004cdb7c0bff7d25ee8472c242e4b0
steps:
  description:
    - What is to be done, or was done, in order. C(kind) is V(endpoints), V(tasks), V(schedules) or V(acl), which has no
      C(name). C(action) is V(create), V(update), V(reorder) or V(delete). C(stops) is whether a task runs, and has to
      be stopped.
    - Of this, RV(impossible), RV(unmanaged), RV(secrets_needed) and RV(left) no more than 500 each are shown, fewer if
      their texts are long, and RV(truncated) says how many are missing.
  returned: O(state=planned) and O(state=applied)
  type: list
  elements: dict
  sample:
    - {server: Replicate-Prod, kind: tasks, name: orders, action: update, stops: true}
impossible:
  description: What the files do not have, and an import cannot remove. The places of each object.
  returned: O(state=planned) and O(state=applied)
  type: list
  elements: dict
  sample:
    - {server: Replicate-Prod, kind: tasks, name: orders, places: ["tasks/orders/source/rep_source/database_name"]}
unmanaged:
  description: What is on the servers and not in the files, within O(include).
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
  description: How many of the steps and the like are not shown, as they would be too many.
  returned: with RV(steps) or RV(left)
  type: int
  sample: 0
back_out:
  description:
    - V(backed_out) if all that was done is put back, but for RV(left). V(backing_out) if that did not succeed yet, so
      that the same task is to be run again. V(nothing) if there was nothing to put back. In check mode, how far the run
      is.
  returned: O(state=backed_out), and failures of O(state=applied) after the first write
  type: str
  sample: backed_out
left:
  description: What the API cannot put back, or not without O(force).
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
      description: How many endpoints are meant. 0 if the server could not be read.
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
      description: How many files were as they should be.
      returned: always
      type: int
      sample: 46
    changed:
      description: Whether any of its files differed.
      returned: always
      type: bool
      sample: true
    failed:
      description: Whether the server could not be read, or a file not be written.
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
      description: What went wrong.
      returned: always
      type: str
      sample: ""
    hint:
      description: What can be done about it. Often empty.
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
  description: What differs in the files, place by place. A new or removed file is named as a whole.
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
  description: What went wrong. If servers could not be read, a line for each of them (at most 20, then how many more).
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
  description: What can be done about it.
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
