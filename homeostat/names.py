"""Metric, label, alert and remedy names: one source for code, rules, dashboards and tests."""

from typing import Final

# Labels. `service`, `env`, `type`, `instance`, `job` are never ours: they clash with target labels.
WORKLOAD: Final = "workload"
CONTAINER: Final = "container"
PROCESS: Final = "process"
PROBE: Final = "probe"
RESOURCE: Final = "resource"
FILE: Final = "file"
VERDICT: Final = "verdict"
REMEDY: Final = "remedy"
SEVERITY: Final = "severity"

# Compose and homeostat labels on containers.
COMPOSE_PROJECT: Final = "com.docker.compose.project"
COMPOSE_SERVICE: Final = "com.docker.compose.service"
COMPOSE_NUMBER: Final = "com.docker.compose.container-number"
COMPOSE_DEPENDS_ON: Final = "com.docker.compose.depends_on"
COMPOSE_ONEOFF: Final = "com.docker.compose.oneoff"
COMPOSE_IMAGE: Final = "com.docker.compose.image"
COMPOSE_FILES: Final = "com.docker.compose.project.config_files"
COMPOSE_FOLDER: Final = "com.docker.compose.project.working_dir"
COMPOSE_ENV_FILES: Final = "com.docker.compose.project.environment_file"
LABEL_PREFIX: Final = "homeostat."

# Workloads (exporter).
WORKLOAD_INFO: Final = "homeostat_workload_info"
WORKLOAD_ENABLED: Final = "homeostat_workload_enabled"
WORKLOAD_INSTANCES: Final = "homeostat_workload_instances"
WORKLOAD_MEMORY_THRESHOLD: Final = "homeostat_workload_memory_threshold_ratio"
WORKLOAD_OBJECTIVE: Final = "homeostat_workload_objective_ratio"
WORKLOAD_START_GRACE: Final = "homeostat_workload_start_grace_seconds"
WORKLOAD_LABELS_VALID: Final = "homeostat_workload_labels_valid"
WORKLOAD_HEALTH: Final = "homeostat_workload_health"
WORKLOAD_HEALTH_INFO: Final = "homeostat_workload_health_info"
WORKLOAD_DEPENDENCY_INFO: Final = "homeostat_workload_dependency_info"

# Containers (exporter).
CONTAINER_INFO: Final = "homeostat_container_info"
CONTAINER_STATE: Final = "homeostat_container_state"
CONTAINER_RUNNING: Final = "homeostat_container_running"
CONTAINER_HEALTH: Final = "homeostat_container_health"
CONTAINER_STOPPED: Final = "homeostat_container_stopped_by_request"
CONTAINER_EXIT_CODE: Final = "homeostat_container_exit_code"
CONTAINER_OOM_KILLED: Final = "homeostat_container_oom_killed"
CONTAINER_OOM_KILLS: Final = "homeostat_container_oom_kills_total"
CONTAINER_RESTARTS: Final = "homeostat_container_restarts_total"
CONTAINER_STARTED: Final = "homeostat_container_start_timestamp_seconds"
CONTAINER_FINISHED: Final = "homeostat_container_finish_timestamp_seconds"
CONTAINER_MEMORY_ANON: Final = "homeostat_container_memory_anon_bytes"
CONTAINER_MEMORY_SHMEM: Final = "homeostat_container_memory_shmem_bytes"
CONTAINER_MEMORY_USAGE: Final = "homeostat_container_memory_usage_bytes"
CONTAINER_MEMORY_LIMIT: Final = "homeostat_container_memory_limit_bytes"
CONTAINER_CPU: Final = "homeostat_container_cpu_seconds_total"
CONTAINER_PIDS: Final = "homeostat_container_pids"

# Supervised processes (exporter, from the guardian).
PROCESS_STATE: Final = "homeostat_process_state"
PROCESS_RUNNING: Final = "homeostat_process_running"
PROCESS_STOPPED: Final = "homeostat_process_stopped_by_request"
PROCESS_RESTARTS: Final = "homeostat_process_restarts_total"
PROCESS_EXIT_CODE: Final = "homeostat_process_exit_code"
PROCESS_STARTED: Final = "homeostat_process_start_timestamp_seconds"
PROCESS_RSS: Final = "homeostat_process_resident_memory_bytes"
PROCESS_MEMORY_LIMIT: Final = "homeostat_process_memory_limit_bytes"
PROCESS_CPU: Final = "homeostat_process_cpu_seconds_total"
PROCESS_FDS: Final = "homeostat_process_open_fds"
PROCESS_CRASH_LOOPING: Final = "homeostat_process_crash_looping"

# Probes (exporter).
PROBE_SUCCESS: Final = "homeostat_probe_success"
PROBE_HEALTHY: Final = "homeostat_probe_healthy"
PROBE_DURATION: Final = "homeostat_probe_duration_seconds"
PROBE_LAST_DURATION: Final = "homeostat_probe_last_duration_seconds"
PROBE_TIMESTAMP: Final = "homeostat_probe_timestamp_seconds"

# Leaks (exporter).
LEAK_VERDICT: Final = "homeostat_leak_verdict"
LEAK_EXHAUSTION: Final = "homeostat_leak_exhaustion_timestamp_seconds"
LEAK_RESTART: Final = "homeostat_leak_restart_timestamp_seconds"
LEAK_LAST_SAMPLE: Final = "homeostat_leak_last_sample_timestamp_seconds"

# Managed configuration files (exporter).
CONFIG_DAMAGED: Final = "homeostat_config_file_damaged"
CONFIG_DRIFTED: Final = "homeostat_config_file_drifted"
CONFIG_OUTDATED: Final = "homeostat_config_file_reader_outdated"

# The scrape itself.
SCRAPE_SUCCESS: Final = "homeostat_scrape_collector_success"
SCRAPE_DURATION: Final = "homeostat_scrape_collector_duration_seconds"

# The guardian itself.
GUARDIAN_UP: Final = "homeostat_guardian_process_up"
GUARDIAN_RESTARTS: Final = "homeostat_guardian_process_restarts_total"
GUARDIAN_CRASH_LOOPING: Final = "homeostat_guardian_process_crash_looping"
GUARDIAN_RSS: Final = "homeostat_guardian_process_resident_memory_bytes"
GUARDIAN_CPU: Final = "homeostat_guardian_process_cpu_seconds_total"
GUARDIAN_FDS: Final = "homeostat_guardian_process_open_fds"

# The processes themselves.
BUILD_INFO: Final = "homeostat_build_info"
CONFIG_RELOAD_OK: Final = "homeostat_config_last_reload_successful"
CONFIG_RELOAD_TIMESTAMP: Final = "homeostat_config_last_reload_success_timestamp_seconds"
ESCALATIONS_UNDELIVERED: Final = "homeostat_escalations_undelivered"

# Alerts, as named in prometheus/rules.
ALERT_DEAD_MAN: Final = "HomeostatDeadMan"
ALERT_ESCALATION: Final = "HomeostatEscalation"
ALERT_DEAD_MAN_MISSING: Final = "HomeostatDeadManMissing"
ALERT_STORM: Final = "HomeostatStorm"
ALERT_APPROVAL: Final = "HomeostatApprovalNeeded"
ALERT_ESCALATION_TEST: Final = "HomeostatEscalationTest"
#: What the responder posts to Alertmanager for people; none of it comes back to it.
OWN_ALERTS: Final = (
    ALERT_ESCALATION,
    ALERT_STORM,
    ALERT_APPROVAL,
    ALERT_ESCALATION_TEST,
    ALERT_DEAD_MAN_MISSING,
)
