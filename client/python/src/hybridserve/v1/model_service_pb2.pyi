from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetModelRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ["model"]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ["models"]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ["bos_token_id", "dtypes", "eos_token_ids", "limits", "name", "shape", "weights_hash", "workers"]
    BOS_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    DTYPES_FIELD_NUMBER: _ClassVar[int]
    EOS_TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_HASH_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    bos_token_id: int
    dtypes: _containers.RepeatedScalarFieldContainer[str]
    eos_token_ids: _containers.RepeatedScalarFieldContainer[int]
    limits: ModelLimits
    name: str
    shape: ModelShape
    weights_hash: str
    workers: int
    def __init__(self, name: _Optional[str] = ..., weights_hash: _Optional[str] = ..., shape: _Optional[_Union[ModelShape, _Mapping]] = ..., limits: _Optional[_Union[ModelLimits, _Mapping]] = ..., bos_token_id: _Optional[int] = ..., eos_token_ids: _Optional[_Iterable[int]] = ..., workers: _Optional[int] = ..., dtypes: _Optional[_Iterable[str]] = ...) -> None: ...

class ModelLimits(_message.Message):
    __slots__ = ["max_sequence_tokens", "max_stop_conditions", "max_stop_text_bytes", "max_text_bytes"]
    MAX_SEQUENCE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_STOP_CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_STOP_TEXT_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_TEXT_BYTES_FIELD_NUMBER: _ClassVar[int]
    max_sequence_tokens: int
    max_stop_conditions: int
    max_stop_text_bytes: int
    max_text_bytes: int
    def __init__(self, max_sequence_tokens: _Optional[int] = ..., max_stop_conditions: _Optional[int] = ..., max_stop_text_bytes: _Optional[int] = ..., max_text_bytes: _Optional[int] = ...) -> None: ...

class ModelShape(_message.Message):
    __slots__ = ["ffn_dim", "head_dim", "hidden", "max_positions", "model_type", "num_heads", "num_kv_heads", "num_layers", "vocab_size"]
    FFN_DIM_FIELD_NUMBER: _ClassVar[int]
    HEAD_DIM_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    MAX_POSITIONS_FIELD_NUMBER: _ClassVar[int]
    MODEL_TYPE_FIELD_NUMBER: _ClassVar[int]
    NUM_HEADS_FIELD_NUMBER: _ClassVar[int]
    NUM_KV_HEADS_FIELD_NUMBER: _ClassVar[int]
    NUM_LAYERS_FIELD_NUMBER: _ClassVar[int]
    VOCAB_SIZE_FIELD_NUMBER: _ClassVar[int]
    ffn_dim: int
    head_dim: int
    hidden: int
    max_positions: int
    model_type: str
    num_heads: int
    num_kv_heads: int
    num_layers: int
    vocab_size: int
    def __init__(self, model_type: _Optional[str] = ..., num_layers: _Optional[int] = ..., hidden: _Optional[int] = ..., num_heads: _Optional[int] = ..., num_kv_heads: _Optional[int] = ..., head_dim: _Optional[int] = ..., ffn_dim: _Optional[int] = ..., vocab_size: _Optional[int] = ..., max_positions: _Optional[int] = ...) -> None: ...
