# Copyright (c) 2026, dataops.qlik_em contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The options of what acts on tasks; their specs are in module_utils/_run, _tasks and _fleets."""

    DOCUMENTATION = r"""
options:
  timeout:
    description:
      - How long the server waits for a task to stop or to start before it answers, in seconds, up to a day. The server
        continues after that.
    type: int
    default: 60
  wait_timeout:
    description:
      - How long to watch a task, in seconds, up to a day. This also applies without O(ignore:wait) if the server
        answers with a transient state (STARTING, STOPPING).
    type: int
    default: 300
  wait_sleep:
    description:
      - How long to wait between two reads of the state, in seconds.
    type: float
    default: 2
"""

    STARTING = r"""
options:
  wait:
    description:
      - Whether to make sure that a task has really stopped or started. Its state is read until the task is stopped and
        no longer uses memory, or is running and uses some. The server answers before the process of the task has
        ended or started.
      - Also, C(AEM_STOP_TASK_TIMEOUT) is not a failure then. The module keeps watching the task, up to
        O(wait_timeout).
      - If not set, it is V(true) with O(wait_for), else V(false).
    type: bool
  wait_for:
    description:
      - What to wait for after a task was started, or if it is already running, up to O(wait_timeout). If not set,
        V(running) with O(wait=true).
      - V(running) waits until its process is running.
      - V(finished) waits until it has finished its work and stopped by itself, such as a full load, or a Compose task
        or workflow. It is a failure, with the message of the task, if that ends in ERROR, or if somebody stops it.
        Compose gives no stop reason, so there a task that somebody stops counts as finished.
      - V(loaded) waits until all its tables are in change processing, or loaded if it captures no changes. It is a
        failure if some of them are in error then. For Replicate only.
      - V(latency) waits until its total latency is at most O(max_latency) in three readings in a row, and no table is
        being loaded. A latency that cannot be read does not count as low. For Replicate tasks that capture changes
        only.
      - In check mode there is no wait. It is assumed to succeed.
    type: str
    choices:
      - running
      - finished
      - loaded
      - latency
  max_latency:
    description:
      - The total latency that is low enough for O(wait_for=latency), in seconds. If not set, 10.
    type: int
  run_option:
    description:
      - How the task is started. For Compose leave the default. Any other is refused before anything is stopped.
      - V(resume_processing_from_timestamp), V(resume_processing_from_position) and
        V(recover_using_checkpoint_stored_on_target) need O(cdc_position).
      - V(metadata_only_recreate_all_tables) and V(metadata_only_create_missing_tables) create tables at the target,
        load nothing, and stop by themselves. They are always watched to their end, up to O(wait_timeout), and are a
        success if the task has stopped without an error message. They act each time. If a task is already running, the
        module waits for it if its run may end by itself, and fails otherwise, because the API does not show with which
        option it was started.
      - V(metadata_only_recreate_all_tables) drops the tables at the target. Needs O(force=true).
      - For C(RELOAD_TARGET) use O(dataops.qlik_em.aem_task#module:state=reloaded).
    type: str
    choices:
      - resume_processing
      - resume_processing_from_timestamp
      - resume_processing_from_position
      - recover_using_locally_stored_checkpoint
      - recover_using_checkpoint_stored_on_target
      - metadata_only_recreate_all_tables
      - metadata_only_create_missing_tables
    default: resume_processing
  cdc_position:
    description:
      - Where change processing begins, for the options of O(run_option) that need it.
      - It must be a string. Put it in quotes. YAML reads V(00012345) as 5349, and V(42:31:10) as 153070, so a number
        is refused.
      - With V(resume_processing_from_timestamp) a time, such as V("2026-11-23T03:00:00Z"). A time without an offset is
        in UTC.
      - With V(recover_using_checkpoint_stored_on_target) the checkpoint, such as V(Checkpoint:V1#1#timestamp:...).
      - With V(resume_processing_from_position) the position in the terms of the source.
    type: raw
  force:
    description:
      - Must be V(true) for anything that deletes data at the target.
    type: bool
    default: false
"""

    FLEET = r"""
options:
  include:
    description:
      - The tasks to select. A task is selected if it matches all members of one of the selectors.
      - Of a server that is named literally only the list of tasks is read (role Viewer on All Tasks). For globs, and
        for selectors without a server, the list of servers is read first (Viewer on All Servers).
      - A task that is named literally and does not exist is a failure, before anything is sent. A glob of servers that
        matches none is a warning.
      - It may also be a string in JSON, as an AWX survey gives it.
    type: list
    elements: dict
    suboptions:
      server:
        description: The name of the server, or a glob (V(*), V(?), V([abc])). It is case-sensitive.
        type: str
      name:
        description: The name of the task, or a glob.
        type: str
      tag:
        description: One of these tags.
        type: list
        elements: str
      state:
        description: One of these states.
        type: list
        elements: str
        choices:
          - running
          - recovery
          - stopped
          - error
          - starting
          - stopping
          - paused
          - not_exist
  exclude:
    description:
      - The tasks to leave out of the selection, in the same form. A name of a task that does not exist and a
        server that is not among the selected ones are warnings.
    type: list
    elements: dict
    suboptions:
      server:
        description: The name of the server, or a glob (V(*), V(?), V([abc])). It is case-sensitive.
        type: str
      name:
        description: The name of the task, or a glob.
        type: str
      tag:
        description: One of these tags.
        type: list
        elements: str
      state:
        description: One of these states.
        type: list
        elements: str
        choices:
          - running
          - recovery
          - stopped
          - error
          - starting
          - stopping
          - paused
          - not_exist
  waves:
    description:
      - The order, as a list of selectors in the form of O(include). Each is a wave, which begins when all tasks of the
        previous wave are done, successfully or not. Tasks that are in no wave form the last one.
      - A task must not be in two waves.
      - With V(auto), the order follows from what the tasks read. Tasks that stage a log stream are started before the
        tasks that read it, and Replicate tasks are started before Compose tasks. All are stopped in the reverse order.
        Tasks that read nothing of each other are in the same wave.
      - Log streams are read from one export of each Replicate server of which more than one task is selected (Admin on
        Enterprise Manager, or Operator on the tasks and on All Endpoints). Exports that the user may not read are
        warnings, and tasks whose source cannot be read are started after all tasks of their server that stage log
        streams.
      - The order is returned as RV(ignore:order), and shown in check mode.
      - A list may also be a string in JSON, as an AWX survey gives it.
    type: raw
  dependencies:
    description:
      - Dependencies that O(waves=auto) cannot find. The tasks that C(before) selects are started before those that
        C(after) selects, and stopped after them. No task is before itself.
      - This is stronger than the rule that Replicate comes before Compose.
      - It can only be used with O(waves=auto). Dependencies that form a cycle are a failure that names the tasks,
        before anything is sent.
    type: list
    elements: dict
    suboptions:
      before:
        description: The tasks that are started first, in the form of O(include).
        type: list
        elements: dict
        required: true
        suboptions:
          server:
            description: The name of the server, or a glob (V(*), V(?), V([abc])). It is case-sensitive.
            type: str
          name:
            description: The name of the task, or a glob.
            type: str
          tag:
            description: One of these tags.
            type: list
            elements: str
          state:
            description: One of these states.
            type: list
            elements: str
            choices:
              - running
              - recovery
              - stopped
              - error
              - starting
              - stopping
              - paused
              - not_exist
      after:
        description: The tasks that are started after them, in the same form.
        type: list
        elements: dict
        required: true
        suboptions:
          server:
            description: The name of the server, or a glob (V(*), V(?), V([abc])). It is case-sensitive.
            type: str
          name:
            description: The name of the task, or a glob.
            type: str
          tag:
            description: One of these tags.
            type: list
            elements: str
          state:
            description: One of these states.
            type: list
            elements: str
            choices:
              - running
              - recovery
              - stopped
              - error
              - starting
              - stopping
              - paused
              - not_exist
  on_server_error:
    description:
      - What to do if the tasks of a server cannot be listed, for example because it is not connected.
      - V(fail) fails before anything is sent. V(skip) leaves the server out, with a warning and an entry in
        RV(ignore:skipped_servers).
    type: str
    choices:
      - fail
      - skip
    default: fail
  allow_empty:
    description:
      - Whether an empty selection is allowed. Otherwise it is a failure.
    type: bool
    default: false
  parallel:
    description:
      - How many tasks are worked on at a time, from 1 to 256. Also the number of connections.
    type: int
    default: 10
  parallel_per_server:
    description:
      - How many of them may be on one server. If not set, as many as O(parallel).
    type: int
  max_failures:
    description:
      - After this many failed tasks, no further tasks are attempted. Those in progress are finished and reported.
      - If not set, all tasks are attempted.
    type: int
  on_full_load:
    description:
      - What to do with a task that is to be stopped while it loads tables. V(stop) stops it like any other. V(skip)
        leaves it running. V(wait) waits until the load is done, up to O(wait_timeout). V(fail) counts it as failed.
      - All but V(stop) read the details of each running task first.
    type: str
    choices:
      - stop
      - skip
      - wait
      - fail
    default: stop
  start_when:
    description:
      - Start a wave only when the tasks of the previous wave have caught up, that is when the latency of each is low.
        If not set, a wave starts when the previous one is started. V({}) takes the defaults.
      - A task that has stopped because its work is done, that was deleted, or that captures no changes (Compose, full
        loads) is not waited for, and neither is one that failed to start or has ended in ERROR since, which counts as
        failed. One that is in RECOVERY or loads tables has not caught up.
      - There is no such wait after the last wave, or before a wave in which nothing is to be started.
    type: dict
    suboptions:
      max_latency:
        description: The total latency that is low enough, in seconds.
        type: int
        default: 10
      stable_for:
        description: In how many readings in a row a latency must be low. O(wait_sleep) is between two readings.
        type: int
        default: 3
      timeout:
        description: How long to wait for the tasks of one wave, in seconds.
        type: int
        default: 900
      on_timeout:
        description: What to do after that time. V(stop) starts nothing more, and counts the tasks that have not caught
          up as failed. V(go_on) starts the next wave, with a warning.
        type: str
        choices:
          - go_on
          - stop
        default: stop
  results:
    description:
      - Which tasks the result shows in RV(ignore:tasks). All of them are counted in RV(ignore:counts) in any case.
      - V(failed) shows those that failed, V(changed) also those that were changed or that have a message
        (RV(ignore:tasks[].msg), such as those left alone), V(all) all, V(none) none.
      - If the module fails, V(changed) shows those that failed only.
      - No more than 500 are shown, fewer if their texts are long, and RV(ignore:truncated) says how many are missing.
        AWX replaces a result of more than 700000 characters by an empty one.
    type: str
    choices:
      - failed
      - changed
      - all
      - none
    default: changed
  results_dest:
    description:
      - A file for the rows of all tasks, one JSON object a line, whatever O(results) says. It is written at the end,
        also if tasks failed, and replaces an existing file. Not in check mode.
      - Its folder must exist. A new file is for its owner only (mode 0600), an existing one keeps its mode and its
        owner. A link is followed.
    type: path
"""

    DRAIN = r"""
options:
  drain:
    description:
      - Wait, before a running task is stopped, until no change is in flight (as the counters of the task show) and the
        latency is low. V({}) takes the defaults. If not set, there is no such wait, except with the state V(drained),
        which takes the defaults then.
      - A latency that cannot be read does not count as low. The message quotes it.
    type: dict
    suboptions:
      timeout:
        description: How long to wait for one task, in seconds.
        type: int
        default: 300
      max_latency:
        description: The total latency that is low enough, in seconds.
        type: int
        default: 10
      on_timeout:
        description: What to do after that time. V(stop) stops the task anyway, V(skip) leaves it running, V(fail)
          counts it as failed.
        type: str
        choices:
          - stop
          - skip
          - fail
        default: fail
"""
