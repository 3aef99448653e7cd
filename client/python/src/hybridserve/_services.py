"""The methods that clients call, on a channel of either API."""

from __future__ import annotations

from typing import Any

from hybridserve import _details
from hybridserve.v1 import (control_service_pb2_grpc,
                            inference_service_pb2_grpc, model_service_pb2_grpc)


class Services:
    """Generated stubs; health's is made here, as its messages are."""

    def __init__(self, channel: Any):
        # What protoc makes has no types.
        inference: Any = inference_service_pb2_grpc.InferenceServiceStub
        models: Any = model_service_pb2_grpc.ModelServiceStub
        control: Any = control_service_pb2_grpc.ControlServiceStub
        self.inference = inference(channel)
        self.models = models(channel)
        self.control = control(channel)
        self.check_health = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=_details.HealthCheckRequest.SerializeToString,
            response_deserializer=_details.HealthCheckResponse.FromString)
