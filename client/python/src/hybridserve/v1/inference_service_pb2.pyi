from hybridserve.v1 import generation_pb2 as _generation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Accepted(_message.Message):
    __slots__ = ["queue_position"]
    QUEUE_POSITION_FIELD_NUMBER: _ClassVar[int]
    queue_position: int
    def __init__(self, queue_position: _Optional[int] = ...) -> None: ...

class DetokenizeRequest(_message.Message):
    __slots__ = ["each", "model", "skip_special_tokens", "token_ids"]
    EACH_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SKIP_SPECIAL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    each: bool
    model: str
    skip_special_tokens: bool
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, model: _Optional[str] = ..., token_ids: _Optional[_Iterable[int]] = ..., skip_special_tokens: bool = ..., each: bool = ...) -> None: ...

class DetokenizeResponse(_message.Message):
    __slots__ = ["text", "texts"]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, text: _Optional[str] = ..., texts: _Optional[_Iterable[str]] = ...) -> None: ...

class Finished(_message.Message):
    __slots__ = ["output_index", "reason", "stop_match"]
    OUTPUT_INDEX_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STOP_MATCH_FIELD_NUMBER: _ClassVar[int]
    output_index: int
    reason: _generation_pb2.FinishReason
    stop_match: _generation_pb2.StopMatch
    def __init__(self, output_index: _Optional[int] = ..., reason: _Optional[_Union[_generation_pb2.FinishReason, str]] = ..., stop_match: _Optional[_Union[_generation_pb2.StopMatch, _Mapping]] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ["generation_config", "model", "priority", "prompt", "request_id", "response", "sampling", "stopping", "token_ids"]
    GENERATION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    STOPPING_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    generation_config: _generation_pb2.GenerationConfig
    model: str
    priority: int
    prompt: str
    request_id: str
    response: _generation_pb2.ResponseOptions
    sampling: _generation_pb2.SamplingParams
    stopping: _generation_pb2.StoppingOptions
    token_ids: _generation_pb2.TokenIds
    def __init__(self, request_id: _Optional[str] = ..., model: _Optional[str] = ..., prompt: _Optional[str] = ..., token_ids: _Optional[_Union[_generation_pb2.TokenIds, _Mapping]] = ..., sampling: _Optional[_Union[_generation_pb2.SamplingParams, _Mapping]] = ..., stopping: _Optional[_Union[_generation_pb2.StoppingOptions, _Mapping]] = ..., response: _Optional[_Union[_generation_pb2.ResponseOptions, _Mapping]] = ..., priority: _Optional[int] = ..., generation_config: _Optional[_Union[_generation_pb2.GenerationConfig, str]] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ["finish_reason", "log_probs", "request_id", "stop_match", "text", "token_ids", "top_log_probs", "usage"]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    LOG_PROBS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STOP_MATCH_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    TOP_LOG_PROBS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    finish_reason: _generation_pb2.FinishReason
    log_probs: _containers.RepeatedScalarFieldContainer[float]
    request_id: str
    stop_match: _generation_pb2.StopMatch
    text: str
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    top_log_probs: _containers.RepeatedCompositeFieldContainer[_generation_pb2.TopLogProbs]
    usage: _generation_pb2.Usage
    def __init__(self, request_id: _Optional[str] = ..., text: _Optional[str] = ..., token_ids: _Optional[_Iterable[int]] = ..., log_probs: _Optional[_Iterable[float]] = ..., finish_reason: _Optional[_Union[_generation_pb2.FinishReason, str]] = ..., stop_match: _Optional[_Union[_generation_pb2.StopMatch, _Mapping]] = ..., usage: _Optional[_Union[_generation_pb2.Usage, _Mapping]] = ..., top_log_probs: _Optional[_Iterable[_Union[_generation_pb2.TopLogProbs, _Mapping]]] = ...) -> None: ...

class GenerateStreamRequest(_message.Message):
    __slots__ = ["generation_config", "model", "priority", "prompt", "request_id", "response", "sampling", "stopping", "token_ids"]
    GENERATION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    STOPPING_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    generation_config: _generation_pb2.GenerationConfig
    model: str
    priority: int
    prompt: str
    request_id: str
    response: _generation_pb2.ResponseOptions
    sampling: _generation_pb2.SamplingParams
    stopping: _generation_pb2.StoppingOptions
    token_ids: _generation_pb2.TokenIds
    def __init__(self, request_id: _Optional[str] = ..., model: _Optional[str] = ..., prompt: _Optional[str] = ..., token_ids: _Optional[_Union[_generation_pb2.TokenIds, _Mapping]] = ..., sampling: _Optional[_Union[_generation_pb2.SamplingParams, _Mapping]] = ..., stopping: _Optional[_Union[_generation_pb2.StoppingOptions, _Mapping]] = ..., response: _Optional[_Union[_generation_pb2.ResponseOptions, _Mapping]] = ..., priority: _Optional[int] = ..., generation_config: _Optional[_Union[_generation_pb2.GenerationConfig, str]] = ...) -> None: ...

class GenerateStreamResponse(_message.Message):
    __slots__ = ["accepted", "finished", "request_id", "resumed", "token_output", "usage"]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    TOKEN_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    accepted: Accepted
    finished: Finished
    request_id: str
    resumed: Resumed
    token_output: TokenOutput
    usage: _generation_pb2.Usage
    def __init__(self, request_id: _Optional[str] = ..., accepted: _Optional[_Union[Accepted, _Mapping]] = ..., token_output: _Optional[_Union[TokenOutput, _Mapping]] = ..., resumed: _Optional[_Union[Resumed, _Mapping]] = ..., finished: _Optional[_Union[Finished, _Mapping]] = ..., usage: _Optional[_Union[_generation_pb2.Usage, _Mapping]] = ...) -> None: ...

class Resumed(_message.Message):
    __slots__ = ["completion_tokens"]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    completion_tokens: int
    def __init__(self, completion_tokens: _Optional[int] = ...) -> None: ...

class ScoreRequest(_message.Message):
    __slots__ = ["model", "priority", "request_id", "text", "token_ids"]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    model: str
    priority: int
    request_id: str
    text: str
    token_ids: _generation_pb2.TokenIds
    def __init__(self, request_id: _Optional[str] = ..., model: _Optional[str] = ..., text: _Optional[str] = ..., token_ids: _Optional[_Union[_generation_pb2.TokenIds, _Mapping]] = ..., priority: _Optional[int] = ...) -> None: ...

class ScoreResponse(_message.Message):
    __slots__ = ["log_probs", "request_id", "token_ids", "top_log_probs", "top_token_ids"]
    LOG_PROBS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    TOP_LOG_PROBS_FIELD_NUMBER: _ClassVar[int]
    TOP_TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    log_probs: _containers.RepeatedScalarFieldContainer[float]
    request_id: str
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    top_log_probs: _containers.RepeatedScalarFieldContainer[float]
    top_token_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, request_id: _Optional[str] = ..., token_ids: _Optional[_Iterable[int]] = ..., log_probs: _Optional[_Iterable[float]] = ..., top_token_ids: _Optional[_Iterable[int]] = ..., top_log_probs: _Optional[_Iterable[float]] = ...) -> None: ...

class TokenOutput(_message.Message):
    __slots__ = ["log_probs", "output_index", "text_delta", "token_ids", "top_log_probs"]
    LOG_PROBS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_INDEX_FIELD_NUMBER: _ClassVar[int]
    TEXT_DELTA_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    TOP_LOG_PROBS_FIELD_NUMBER: _ClassVar[int]
    log_probs: _containers.RepeatedScalarFieldContainer[float]
    output_index: int
    text_delta: str
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    top_log_probs: _containers.RepeatedCompositeFieldContainer[_generation_pb2.TopLogProbs]
    def __init__(self, output_index: _Optional[int] = ..., token_ids: _Optional[_Iterable[int]] = ..., text_delta: _Optional[str] = ..., log_probs: _Optional[_Iterable[float]] = ..., top_log_probs: _Optional[_Iterable[_Union[_generation_pb2.TopLogProbs, _Mapping]]] = ...) -> None: ...

class TokenizeRequest(_message.Message):
    __slots__ = ["add_special_tokens", "model", "text"]
    ADD_SPECIAL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    add_special_tokens: bool
    model: str
    text: str
    def __init__(self, model: _Optional[str] = ..., text: _Optional[str] = ..., add_special_tokens: bool = ...) -> None: ...

class TokenizeResponse(_message.Message):
    __slots__ = ["token_ids"]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, token_ids: _Optional[_Iterable[int]] = ...) -> None: ...
