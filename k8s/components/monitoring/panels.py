"""What the dashboard shows: sections of panels, each a query or several.

$namespace is a cell (a scheduler with its workers), $model the models looked
at. `worker!=""` takes what the scheduler says of a worker.
"""

from grafana import Panel, Section, Target, quantiles, stat, table

CELL = 'namespace=~"$namespace"'
MODEL = CELL + ', model_name=~"$model"'
WORKER = MODEL + ', worker!=""'
TOKENS = "suffix: tokens/s"


def rate(metric: str, labels: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}{{{labels}}}[$__rate_interval]))"


def per_worker(metric: str) -> str:
    """A gauge, or a recorded series, of each worker."""
    return f"max by (worker) ({metric}{{{WORKER}}})"


def busy(stream: str) -> str:
    return (rate("hybridserve_offload_busy_seconds_total",
                 f'{WORKER}, stream="{stream}"', "worker") + " / "
            + rate("hybridserve_step_seconds_total", WORKER, "worker"))


STEP_SECONDS = (rate("hybridserve_step_seconds_total", WORKER, "worker") + " / "
                + rate("hybridserve_steps_total", WORKER, "worker"))
ACT_SHARE = (
    f'sum by (worker) (hybridserve_cache_blocks{{{WORKER}, kind="act"}}) / '
    f"sum by (worker) (hybridserve_cache_blocks{{{WORKER}}})")
LATENCIES = [
    ("Time to first token", "time_to_first_token_seconds"),
    ("Between tokens", "inter_token_latency_seconds"),
    ("Whole request", "e2e_request_latency_seconds"),
    ("In the queue", "request_queue_time_seconds"),
]

SECTIONS = [
    Section("Now", [
        stat("Generated", TOKENS, "sum(namespace_model:"
             f"hybridserve_generation_tokens:rate5m{{{MODEL}}})"),
        stat("Requests running", "short",
             f"sum(hybridserve_requests_running{{{CELL}}})"),
        stat("Requests waiting", "short",
             f"sum(hybridserve_requests_waiting{{{CELL}}})"),
        stat("Queue full", "percentunit",
             f"max(namespace:hybridserve_queue:ratio{{{CELL}}})"),
        stat("Workers ready", "short",
             f"sum(hybridserve_worker_up{{{WORKER}}})"),
        stat("Cache in use", "percentunit",
             f"max(hybridserve_cell_kv_cache_usage_ratio{{{CELL}}})"),
    ]),
    Section("Throughput", [
        Panel("Tokens", TOKENS, [
            Target(rate("hybridserve_generation_tokens_total", MODEL,
                        "model_name"), "{{model_name}} generated"),
            Target(rate("hybridserve_prompt_tokens_total", MODEL,
                        "model_name"), "{{model_name}} of prompts"),
        ]),
        Panel("Requests that end", "reqps", [
            Target(rate("hybridserve_request_success_total", MODEL,
                        "finished_reason"), "{{finished_reason}}"),
            Target(rate("hybridserve_request_failed_total", MODEL, "code"),
                   "failed: {{code}}"),
            Target(rate("hybridserve_request_rejected_total", CELL, "code"),
                   "refused: {{code}}"),
        ], stacked=True),
        Panel("Tokens generated for tenants", TOKENS, [
            Target(rate("hybridserve_tenant_generation_tokens_total", CELL,
                        "tenant"), "{{tenant}}"),
        ], stacked=True),
    ]),
    Section("Latencies", [
        Panel(title, "s", quantiles("hybridserve_" + metric, MODEL))
        for title, metric in LATENCIES
    ]),
    Section("Queue", [
        Panel("Requests", "short", [
            Target(f"sum(hybridserve_requests_waiting{{{CELL}}})", "waiting"),
            Target(f"sum(hybridserve_requests_running{{{CELL}}})", "running"),
            Target(f"sum(hybridserve_max_queue_requests{{{CELL}}})",
                   "most that may wait"),
        ]),
        Panel("Tokens of those that wait", "short", [
            Target(f"sum(hybridserve_waiting_tokens{{{CELL}}})", "waiting"),
            Target(f"sum(hybridserve_max_queue_tokens{{{CELL}}})",
                   "most that may wait"),
        ]),
        Panel("Replays and preemptions", "suffix: a second", [
            Target(rate("hybridserve_request_replays_total", CELL, ""),
                   "replayed: worker lost"),
            Target(rate("hybridserve_preemptions_total", WORKER, "worker"),
                   "gave way: {{worker}}"),
        ]),
    ]),
    Section("Cache mix", [
        Panel("Blocks", "short", [
            Target("sum by (kind, tier) "
                   f"(hybridserve_cache_blocks{{{WORKER}}})",
                   "{{kind}} on {{tier}}"),
        ], stacked=True),
        Panel("ACT share of the blocks", "percentunit", [
            Target(ACT_SHARE, "{{worker}}"),
            Target(per_worker("hybridserve_act_ratio"),
                   "{{worker}}, sequence admitted last"),
        ], most=1),
        Panel("Half-slots in use", "percentunit", [
            Target(per_worker("hybridserve_kv_cache_usage_ratio"),
                   "{{worker}}"),
        ], most=1),
        Panel("ACT that became KV", "suffix: blocks/s", [
            Target(rate("hybridserve_converted_blocks_total", WORKER,
                        "worker"), "{{worker}}"),
        ]),
    ]),
    Section("Link and compute", [
        Panel("Busy share of a step", "percentunit", [
            Target(busy("link"), "{{worker}} link"),
            Target(busy("compute"), "{{worker}} compute"),
            Target(busy("copy_out"), "{{worker}} copy-out"),
        ], most=1),
        Panel("Over the link", "Bps", [
            Target(rate("hybridserve_offload_bytes_total", WORKER,
                        "dir, kind"), "{{kind}} {{dir}}"),
        ], stacked=True),
        Panel("What the link's time goes to", "percentunit", [
            Target(rate("hybridserve_offload_seconds_total", WORKER,
                        "dir, kind") + " / on () group_left "
                   + rate("hybridserve_step_seconds_total", WORKER, ""),
                   "{{kind}} {{dir}}"),
        ], stacked=True),
        Panel("What computing time goes to", "percentunit", [
            Target(rate("hybridserve_compute_seconds_total", WORKER, "kind")
                   + " / on () group_left "
                   + rate("hybridserve_step_seconds_total", WORKER, ""),
                   "{{kind}}"),
        ], stacked=True),
        Panel("Step", "s", [
            Target(STEP_SECONDS, "{{worker}} measured"),
            Target(per_worker("hybridserve_predicted_step_seconds"),
                   "{{worker}} predicted"),
        ]),
        Panel("Rows of a step", TOKENS, [
            Target(rate("hybridserve_step_tokens_total", WORKER, "kind"),
                   "{{kind}}"),
            Target(rate("hybridserve_rebuilt_tokens_total", WORKER, ""),
                   "rebuilt, in one layer"),
        ]),
    ]),
    Section("Workers", [
        table("Workers", "worker", [
            ("Ready", "short", per_worker("hybridserve_worker_up")),
            ("Sequences", "short",
             per_worker("hybridserve_worker_sequences_running")),
            ("Sampled", TOKENS, rate(
                "hybridserve_step_tokens_total", WORKER + ', kind="sampled"',
                "worker")),
            ("Step", "s", STEP_SECONDS),
            ("Cache in use", "percentunit",
             per_worker("hybridserve_kv_cache_usage_ratio")),
            ("ACT share", "percentunit", ACT_SHARE),
            ("Link busy", "percentunit", per_worker(
                "namespace_worker:hybridserve_link_busy:ratio_rate5m")),
            ("Compute busy", "percentunit", per_worker(
                "namespace_worker:hybridserve_compute_busy:ratio_rate5m")),
            ("Link, to the device", "Bps", "max by (worker) ("
             "hybridserve_link_bandwidth_bytes_per_second"
             f'{{{WORKER}, dir="in"}})'),
        ]),
        Panel("Model loaded", "percentunit", [
            Target("max by (pod, instance) "
                   f"(hybridserve_model_load_ratio{{{MODEL}}})",
                   "{{pod}} {{instance}}"),
        ], most=1),
        Panel("Memory plan", "bytes", [
            Target("sum by (pod, instance, tier) "
                   f"(hybridserve_memory_plan_bytes{{{MODEL}}})",
                   "{{pod}} {{instance}} {{tier}}"),
        ]),
        Panel("Cache in host memory", "bytes", [
            Target("sum by (worker, state, pinned) "
                   f"(hybridserve_host_pool_bytes{{{WORKER}}})",
                   "{{worker}} {{state}}, pinned {{pinned}}"),
        ]),
        Panel("Host memory that the driver did not pin", "bytes", [
            Target("max by (pod, instance) "
                   f"(hybridserve_unpinned_host_bytes{{{MODEL}}})",
                   "{{pod}} {{instance}}"),
        ]),
    ]),
    Section("OpenAI gateways", [
        Panel("OpenAI gateways: requests that end", "reqps", [
            Target(rate("hybridserve_openai_requests_total", CELL, "status"),
                   "{{status}}"),
        ], stacked=True),
        Panel("OpenAI gateways: requests running", "short", [
            Target("sum by (endpoint) "
                   f"(hybridserve_openai_requests_running{{{CELL}}})",
                   "{{endpoint}}"),
        ]),
        Panel("OpenAI gateways: from request to end of reply", "s",
              quantiles("hybridserve_openai_request_seconds", CELL)),
    ]),
    Section("Programs", [
        Panel("Resident memory", "bytes", [
            Target("max by (job, pod, instance) "
                   f"(process_resident_memory_bytes{{{CELL}}})",
                   "{{job}} {{pod}} {{instance}}"),
        ]),
        Panel("CPU", "suffix: cores", [
            Target(rate("process_cpu_seconds_total", CELL,
                        "job, pod, instance"), "{{job}} {{pod}} {{instance}}"),
        ]),
        Panel("Versions", "short", [
            Target("count by (job, version) "
                   f"(hybridserve_build_info{{{CELL}}})",
                   "{{job}} {{version}}"),
        ]),
    ]),
]
