from hybridserve.v1 import load_pb2 as _load_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AbortRequest(_message.Message):
    __slots__ = ["request_id"]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    def __init__(self, request_id: _Optional[str] = ...) -> None: ...

class AbortResponse(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class DrainRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class DrainResponse(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetLoadRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetLoadResponse(_message.Message):
    __slots__ = ["load"]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    load: _load_pb2.Load
    def __init__(self, load: _Optional[_Union[_load_pb2.Load, _Mapping]] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ["act_ratio", "build_id", "draining", "loading_workers", "policy", "term", "version", "worker_wire_revision"]
    ACT_RATIO_FIELD_NUMBER: _ClassVar[int]
    BUILD_ID_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    LOADING_WORKERS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WORKER_WIRE_REVISION_FIELD_NUMBER: _ClassVar[int]
    act_ratio: float
    build_id: str
    draining: bool
    loading_workers: _containers.RepeatedCompositeFieldContainer[LoadingWorker]
    policy: str
    term: int
    version: str
    worker_wire_revision: int
    def __init__(self, version: _Optional[str] = ..., build_id: _Optional[str] = ..., term: _Optional[int] = ..., policy: _Optional[str] = ..., act_ratio: _Optional[float] = ..., loading_workers: _Optional[_Iterable[_Union[LoadingWorker, _Mapping]]] = ..., draining: bool = ..., worker_wire_revision: _Optional[int] = ...) -> None: ...

class LoadingWorker(_message.Message):
    __slots__ = ["loaded_bytes", "model", "name", "stage", "total_bytes"]
    LOADED_BYTES_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    loaded_bytes: int
    model: str
    name: str
    stage: str
    total_bytes: int
    def __init__(self, name: _Optional[str] = ..., model: _Optional[str] = ..., stage: _Optional[str] = ..., loaded_bytes: _Optional[int] = ..., total_bytes: _Optional[int] = ...) -> None: ...

class WatchLoadRequest(_message.Message):
    __slots__ = ["interval_ms"]
    INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    interval_ms: int
    def __init__(self, interval_ms: _Optional[int] = ...) -> None: ...

class WatchLoadResponse(_message.Message):
    __slots__ = ["load"]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    load: _load_pb2.Load
    def __init__(self, load: _Optional[_Union[_load_pb2.Load, _Mapping]] = ...) -> None: ...
