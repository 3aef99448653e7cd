"""What no honest peer sends: garbage on the scheduler's port, and a worker that
lies."""

import hashlib
import importlib
import os
import pathlib
import queue
import random
import socket
import struct
import sys
import tempfile
import time
from typing import Iterator, Optional

import grpc
from grpc_tools import protoc

from tests.e2e import generated_client as pb

ROOT = pathlib.Path(__file__).resolve().parents[2]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HOLD_SECONDS = 1.0
HEARTBEAT_SECONDS = 0.5


def _generate() -> None:
    out = tempfile.mkdtemp()
    protos = sorted(
        str(path.relative_to(ROOT / "proto"))
        for path in (ROOT / "proto/hybridserve/worker/v1").glob("*.proto"))
    if protoc.main(["protoc", f"--proto_path={ROOT / 'proto'}",
                    f"--python_out={out}", f"--grpc_python_out={out}",
                    *protos]) != 0:
        raise RuntimeError("protoc failed")
    sys.path.insert(0, out)
    # The public half of the package was imported from elsewhere.
    package = importlib.import_module("hybridserve")
    if os.path.join(out, "hybridserve") not in package.__path__:
        package.__path__.append(os.path.join(out, "hybridserve"))


_generate()
link = importlib.import_module(
    "hybridserve.worker.v1.worker_link_service_pb2")
link_grpc = importlib.import_module(
    "hybridserve.worker.v1.worker_link_service_pb2_grpc")
registration = importlib.import_module("hybridserve.worker.v1.registration_pb2")


# ---- Bytes ------------------------------------------------------------------


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return (struct.pack(">I", len(payload))[1:] + bytes([kind, flags])
            + struct.pack(">I", stream) + payload)


def _header(name: bytes, value: bytes) -> bytes:
    """Of HPACK: literal, not indexed, not compressed."""
    return (b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value)


def _call_headers() -> bytes:
    return b"".join(_header(name, value) for name, value in [
        (b":method", b"POST"), (b":scheme", b"http"),
        (b":path", b"/hybridserve.v1.InferenceService/GenerateStream"),
        (b":authority", b"localhost"), (b"te", b"trailers"),
        (b"content-type", b"application/grpc")])


def garbage_bytes(how: str, rng: random.Random) -> bytes:
    settings = _frame(4, 0, 0, b"")
    headers = _frame(1, 4, 1, _call_headers())
    noise = rng.randbytes(4000)
    return {
        "random": noise,
        "truncated_preface": PREFACE[:rng.randrange(1, len(PREFACE))],
        "wrong_frame": PREFACE + settings + _frame(
            rng.randrange(256), rng.randrange(256), rng.randrange(8),
            noise[:100]),
        # A message of 4 GiB is announced.
        "endless_message": PREFACE + settings + headers + _frame(
            0, 0, 1, b"\x00\xff\xff\xff\xff" + noise[:1000]),
        # A whole frame that holds no message.
        "half_request": PREFACE + settings + headers + _frame(
            0, 1, 1, b"\x00" + struct.pack(">I", 50) + noise[:50]),
        "tls_hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise,
    }[how]


def send_garbage(port: int, how: str, rng: random.Random) -> None:
    """Holds the connection for a while, as one that waits for more would."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
            peer.sendall(garbage_bytes(how, rng))
            peer.settimeout(HOLD_SECONDS)
            while peer.recv(4096):
                pass
    except OSError:
        pass  # Hung up on, or the scheduler is gone.


# ---- A worker ---------------------------------------------------------------


class FakeWorker:
    """Dials like a worker and lies in one way."""

    def __init__(self, address: str, model_dir: pathlib.Path, how: str,
                 real, hold_seconds: float = HOLD_SECONDS):
        """`real`: a worker in the server's load, to be taken for."""
        self._address = address
        self._model_dir = model_dir
        self._how = how
        self._real = real
        self._hold_seconds = hold_seconds
        self._epoch = time.time_ns() // 1000
        self._answers: "queue.Queue[Optional[object]]" = queue.Queue()

    def run(self) -> str:
        """Ends after `hold_seconds` or when it is shown the door: the status,
        or OK if it was let in and hung up itself."""
        with grpc.insecure_channel(self._address) as channel:
            try:
                return self._talk(channel)
            except grpc.RpcError as error:
                return error.code().name

    def _talk(self, channel: grpc.Channel) -> str:
        if self._how == "broken_proto":
            connect = channel.stream_stream(
                "/hybridserve.worker.v1.WorkerLinkService/Connect",
                request_serializer=lambda raw: raw,
                response_deserializer=link.ConnectResponse.FromString)
            call = connect(iter([b"\x0a\xff\xff\xff\xff\x0f garbage"]),
                           timeout=5)
        else:
            revision = pb.control_grpc.ControlServiceStub(
                channel).GetServerInfo(pb.control.GetServerInfoRequest(),
                                       timeout=5).worker_wire_revision
            call = link_grpc.WorkerLinkServiceStub(channel).Connect(
                self._messages(revision), timeout=self._hold_seconds + 4)
        end = time.monotonic() + self._hold_seconds
        for response in call:
            if response.HasField("step_plan") and self._how != "no_results":
                self._answers.put(self._lie(response))
            if time.monotonic() > end:
                break
        self._answers.put(None)
        call.cancel()
        return "OK"

    def _message(self, **fields):
        message = link.ConnectRequest(**fields)
        message.fence.epoch = self._epoch
        return message

    def _messages(self, revision: int) -> Iterator[object]:
        how = self._how
        if how == "no_hello":
            yield self._message(load_progress=registration.LoadProgress(
                loaded_bytes=9, total_bytes=3))
            time.sleep(HOLD_SECONDS)
            return
        yield self._message(hello=registration.Hello(
            wire_revision=revision + (how == "wrong_revision"),
            worker_name="fake", model_name=self._real.model,
            build_id=self._real.numerics.build_id))
        if how == "wrong_revision":
            time.sleep(HOLD_SECONDS)
            return
        yield from self._files()
        yield self._message(register=self._registration())
        while True:
            try:
                answer = self._answers.get(timeout=HEARTBEAT_SECONDS)
            except queue.Empty:
                answer = self._message(heartbeat=registration.Heartbeat())
            if answer is None:
                return
            time.sleep(0.1)
            yield answer

    FILES = {1: "config.json", 2: "generation_config.json",
             3: "tokenizer.json", 4: "tokenizer_config.json",
             5: "special_tokens_map.json", 6: "vocab.json", 7: "merges.txt"}
    CHUNK = 1 << 20

    def _files(self) -> Iterator[object]:
        for file, name in self.FILES.items():
            path = self._model_dir / name
            if not path.exists():
                continue
            data = path.read_bytes()
            size = self.CHUNK * 3 if self._how == "huge_chunk" else self.CHUNK
            if self._how == "huge_chunk":
                data = data.ljust(size, b" ")
            gap = 5 if self._how == "gap_in_chunks" else 0
            for offset in range(0, len(data), size):
                yield self._message(file_chunk=registration.FileChunk(
                    file=file, offset=offset + gap,
                    data=data[offset:offset + size]))

    def _registration(self):
        real = self._real
        message = registration.Register(
            device="nothing", staging_half_slots=64, max_step_tokens=64,
            max_logit_rows=8, layer_bytes=real.layer_bytes,
            streamed_layer_bytes=real.streamed_layer_bytes, head_slices=1)
        for file, name in self.FILES.items():
            path = self._model_dir / name
            if path.exists():
                data = path.read_bytes()
                message.files.add(file=file, bytes=len(data),
                                  sha256=hashlib.sha256(data).hexdigest())
        numerics = real.numerics
        message.numerics.weights_hash = numerics.weights_hash
        message.numerics.backend = numerics.backend
        message.numerics.isa = numerics.isa
        message.numerics.dtype = {"float32": 1, "bfloat16": 2,
                                  "float16": 3}[numerics.dtype]
        message.numerics.block_tokens = numerics.block_tokens
        message.numerics.build_id = numerics.build_id
        for pool in real.pools:
            message.pools.add(tier=pool.tier, half_slots=pool.half_slots,
                              half_slot_bytes=pool.half_slot_bytes)
        return message

    def _lie(self, response):
        """The answer to a plan, wrong in one way."""
        how = self._how
        answer = link.ConnectRequest()
        answer.fence.CopyFrom(response.fence)
        answer.step_result.SetInParent()
        if how == "wrong_table":
            answer.step_result.status_code = 9
            answer.step_result.status_message = "another table hash"
            return answer
        for sequence in response.step_plan.sequences:
            if how == "wrong_counts":
                break
            result = answer.step_result.sequences.add(
                sequence=sequence.sequence + (1000 if how == "wrong_ids"
                                              else 0))
            if sequence.sample:
                result.token = -7 if how == "negative_token" else 5
        if how == "stale_term":
            answer.fence.term -= 1
        elif how == "stale_epoch":
            answer.fence.epoch -= 1
        elif how == "stale_step":
            answer.fence.step += 7
        return answer
