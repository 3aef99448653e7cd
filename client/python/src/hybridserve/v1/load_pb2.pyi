from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
TIER_DEVICE: Tier
TIER_HOST: Tier
TIER_UNSPECIFIED: Tier
WORKER_STATE_DRAINING: WorkerState
WORKER_STATE_LOADING: WorkerState
WORKER_STATE_READY: WorkerState
WORKER_STATE_UNSPECIFIED: WorkerState
WORKER_STATE_WARMING_UP: WorkerState
WORK_KIND_ACT: WorkKind
WORK_KIND_ATTENTION: WorkKind
WORK_KIND_FORWARD: WorkKind
WORK_KIND_HEAD: WorkKind
WORK_KIND_INPUTS: WorkKind
WORK_KIND_KV: WorkKind
WORK_KIND_OTHER: WorkKind
WORK_KIND_REBUILD: WorkKind
WORK_KIND_RESULTS: WorkKind
WORK_KIND_UNSPECIFIED: WorkKind
WORK_KIND_WEIGHTS: WorkKind
WORK_KIND_WRITE_BACK: WorkKind

class Load(_message.Message):
    __slots__ = ["queue", "requests", "workers"]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    queue: Queue
    requests: Requests
    workers: _containers.RepeatedCompositeFieldContainer[Worker]
    def __init__(self, queue: _Optional[_Union[Queue, _Mapping]] = ..., workers: _Optional[_Iterable[_Union[Worker, _Mapping]]] = ..., requests: _Optional[_Union[Requests, _Mapping]] = ...) -> None: ...

class Numerics(_message.Message):
    __slots__ = ["backend", "block_tokens", "build_id", "dtype", "isa", "weights_hash"]
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    BLOCK_TOKENS_FIELD_NUMBER: _ClassVar[int]
    BUILD_ID_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    ISA_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_HASH_FIELD_NUMBER: _ClassVar[int]
    backend: str
    block_tokens: int
    build_id: str
    dtype: str
    isa: str
    weights_hash: str
    def __init__(self, weights_hash: _Optional[str] = ..., backend: _Optional[str] = ..., isa: _Optional[str] = ..., dtype: _Optional[str] = ..., block_tokens: _Optional[int] = ..., build_id: _Optional[str] = ...) -> None: ...

class Pool(_message.Message):
    __slots__ = ["act_blocks", "bytes", "cached", "free", "half_slot_bytes", "half_slots", "kv_blocks", "peak_act_blocks", "peak_kv_blocks", "tier"]
    ACT_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    HALF_SLOTS_FIELD_NUMBER: _ClassVar[int]
    HALF_SLOT_BYTES_FIELD_NUMBER: _ClassVar[int]
    KV_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    PEAK_ACT_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    PEAK_KV_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    act_blocks: int
    bytes: int
    cached: int
    free: int
    half_slot_bytes: int
    half_slots: int
    kv_blocks: int
    peak_act_blocks: int
    peak_kv_blocks: int
    tier: Tier
    def __init__(self, tier: _Optional[_Union[Tier, str]] = ..., half_slots: _Optional[int] = ..., free: _Optional[int] = ..., cached: _Optional[int] = ..., kv_blocks: _Optional[int] = ..., act_blocks: _Optional[int] = ..., peak_kv_blocks: _Optional[int] = ..., peak_act_blocks: _Optional[int] = ..., half_slot_bytes: _Optional[int] = ..., bytes: _Optional[int] = ...) -> None: ...

class Queue(_message.Message):
    __slots__ = ["max_requests", "max_tokens", "running", "waiting", "waiting_tokens"]
    MAX_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    WAITING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    max_requests: int
    max_tokens: int
    running: int
    waiting: int
    waiting_tokens: int
    def __init__(self, running: _Optional[int] = ..., waiting: _Optional[int] = ..., waiting_tokens: _Optional[int] = ..., max_requests: _Optional[int] = ..., max_tokens: _Optional[int] = ...) -> None: ...

class Requests(_message.Message):
    __slots__ = ["accepted", "cancelled", "completion_tokens", "failed", "finished", "preemptions", "prompt_tokens", "rejected", "replays"]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    PREEMPTIONS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    REPLAYS_FIELD_NUMBER: _ClassVar[int]
    accepted: int
    cancelled: int
    completion_tokens: int
    failed: int
    finished: int
    preemptions: int
    prompt_tokens: int
    rejected: int
    replays: int
    def __init__(self, accepted: _Optional[int] = ..., finished: _Optional[int] = ..., cancelled: _Optional[int] = ..., failed: _Optional[int] = ..., rejected: _Optional[int] = ..., prompt_tokens: _Optional[int] = ..., completion_tokens: _Optional[int] = ..., preemptions: _Optional[int] = ..., replays: _Optional[int] = ...) -> None: ...

class WorkCost(_message.Message):
    __slots__ = ["fixed_seconds", "kind", "r_squared", "samples", "seconds_per_unit"]
    FIXED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    R_SQUARED_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_PER_UNIT_FIELD_NUMBER: _ClassVar[int]
    fixed_seconds: float
    kind: WorkKind
    r_squared: float
    samples: _containers.RepeatedCompositeFieldContainer[WorkSample]
    seconds_per_unit: float
    def __init__(self, kind: _Optional[_Union[WorkKind, str]] = ..., fixed_seconds: _Optional[float] = ..., seconds_per_unit: _Optional[float] = ..., r_squared: _Optional[float] = ..., samples: _Optional[_Iterable[_Union[WorkSample, _Mapping]]] = ...) -> None: ...

class WorkSample(_message.Message):
    __slots__ = ["seconds", "units"]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    seconds: float
    units: float
    def __init__(self, units: _Optional[float] = ..., seconds: _Optional[float] = ...) -> None: ...

class WorkTotals(_message.Message):
    __slots__ = ["busy_seconds", "count", "kind", "units"]
    BUSY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    busy_seconds: float
    count: int
    kind: WorkKind
    units: float
    def __init__(self, kind: _Optional[_Union[WorkKind, str]] = ..., count: _Optional[int] = ..., units: _Optional[float] = ..., busy_seconds: _Optional[float] = ...) -> None: ...

class Worker(_message.Message):
    __slots__ = ["act_ratio", "device", "epoch", "id", "layer_bytes", "link_bytes_per_second", "mix_reason", "model", "name", "numerics", "pools", "predicted_step_seconds", "profile", "running", "state", "streamed_layer_bytes", "term", "totals", "unpinned_cache"]
    ACT_RATIO_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LAYER_BYTES_FIELD_NUMBER: _ClassVar[int]
    LINK_BYTES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    MIX_REASON_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    POOLS_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_STEP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STREAMED_LAYER_BYTES_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    UNPINNED_CACHE_FIELD_NUMBER: _ClassVar[int]
    act_ratio: float
    device: str
    epoch: int
    id: int
    layer_bytes: int
    link_bytes_per_second: float
    mix_reason: str
    model: str
    name: str
    numerics: Numerics
    pools: _containers.RepeatedCompositeFieldContainer[Pool]
    predicted_step_seconds: float
    profile: WorkerProfile
    running: int
    state: WorkerState
    streamed_layer_bytes: int
    term: int
    totals: WorkerTotals
    unpinned_cache: bool
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., term: _Optional[int] = ..., epoch: _Optional[int] = ..., state: _Optional[_Union[WorkerState, str]] = ..., device: _Optional[str] = ..., model: _Optional[str] = ..., numerics: _Optional[_Union[Numerics, _Mapping]] = ..., link_bytes_per_second: _Optional[float] = ..., pools: _Optional[_Iterable[_Union[Pool, _Mapping]]] = ..., totals: _Optional[_Union[WorkerTotals, _Mapping]] = ..., profile: _Optional[_Union[WorkerProfile, _Mapping]] = ..., running: _Optional[int] = ..., layer_bytes: _Optional[int] = ..., streamed_layer_bytes: _Optional[int] = ..., act_ratio: _Optional[float] = ..., mix_reason: _Optional[str] = ..., predicted_step_seconds: _Optional[float] = ..., unpinned_cache: bool = ...) -> None: ...

class WorkerProfile(_message.Message):
    __slots__ = ["copy_out_bytes_per_second", "costs", "gemm_flops_per_second", "link_bytes_per_second", "tracked_costs"]
    COPY_OUT_BYTES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    COSTS_FIELD_NUMBER: _ClassVar[int]
    GEMM_FLOPS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    LINK_BYTES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    TRACKED_COSTS_FIELD_NUMBER: _ClassVar[int]
    copy_out_bytes_per_second: float
    costs: _containers.RepeatedCompositeFieldContainer[WorkCost]
    gemm_flops_per_second: float
    link_bytes_per_second: float
    tracked_costs: _containers.RepeatedCompositeFieldContainer[WorkCost]
    def __init__(self, link_bytes_per_second: _Optional[float] = ..., copy_out_bytes_per_second: _Optional[float] = ..., gemm_flops_per_second: _Optional[float] = ..., costs: _Optional[_Iterable[_Union[WorkCost, _Mapping]]] = ..., tracked_costs: _Optional[_Iterable[_Union[WorkCost, _Mapping]]] = ...) -> None: ...

class WorkerTotals(_message.Message):
    __slots__ = ["act_bytes", "compute_busy_seconds", "converted_blocks", "copy_out_busy_seconds", "kv_bytes", "link_busy_seconds", "other_in_bytes", "preemptions", "processed_tokens", "rebuilt_tokens", "sampled_tokens", "steps", "wall_seconds", "weight_bytes", "work", "write_back_bytes"]
    ACT_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_BUSY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CONVERTED_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    COPY_OUT_BUSY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    KV_BYTES_FIELD_NUMBER: _ClassVar[int]
    LINK_BUSY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    OTHER_IN_BYTES_FIELD_NUMBER: _ClassVar[int]
    PREEMPTIONS_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REBUILT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    WALL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_BYTES_FIELD_NUMBER: _ClassVar[int]
    WORK_FIELD_NUMBER: _ClassVar[int]
    WRITE_BACK_BYTES_FIELD_NUMBER: _ClassVar[int]
    act_bytes: int
    compute_busy_seconds: float
    converted_blocks: int
    copy_out_busy_seconds: float
    kv_bytes: int
    link_busy_seconds: float
    other_in_bytes: int
    preemptions: int
    processed_tokens: int
    rebuilt_tokens: int
    sampled_tokens: int
    steps: int
    wall_seconds: float
    weight_bytes: int
    work: _containers.RepeatedCompositeFieldContainer[WorkTotals]
    write_back_bytes: int
    def __init__(self, steps: _Optional[int] = ..., wall_seconds: _Optional[float] = ..., link_busy_seconds: _Optional[float] = ..., copy_out_busy_seconds: _Optional[float] = ..., compute_busy_seconds: _Optional[float] = ..., weight_bytes: _Optional[int] = ..., kv_bytes: _Optional[int] = ..., act_bytes: _Optional[int] = ..., other_in_bytes: _Optional[int] = ..., write_back_bytes: _Optional[int] = ..., processed_tokens: _Optional[int] = ..., sampled_tokens: _Optional[int] = ..., rebuilt_tokens: _Optional[int] = ..., work: _Optional[_Iterable[_Union[WorkTotals, _Mapping]]] = ..., preemptions: _Optional[int] = ..., converted_blocks: _Optional[int] = ...) -> None: ...

class WorkerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class WorkKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Tier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
