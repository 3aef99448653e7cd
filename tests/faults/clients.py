"""Clients of a disturbed service: what each sees goes into the history."""

import json
import re
import signal
import subprocess
import threading
import time
from typing import Callable, Dict, Optional, Sequence

import grpc

from tests.e2e import generated_client as pb
from tests.faults import schedule
from tests.faults.cluster import open_channel
from tests.faults.history import History

REASONS = {
    pb.generation.FINISH_REASON_STOP: "stop",
    pb.generation.FINISH_REASON_LENGTH: "length",
    pb.generation.FINISH_REASON_CANCELLED: "cancelled",
}
# After a refusal.
PAUSE_S = 0.3


def stream_request(request_id: str, prompt: int, max_tokens: int,
                   sampled: bool = False):
    """The same for the undisturbed run, but for the id."""
    message = pb.request(pb.inference.GenerateStreamRequest,
                         prompt=schedule.PROMPTS[prompt],
                         max_tokens=max_tokens, request_id=request_id)
    message.stopping.ignore_eos = True
    if sampled:
        message.sampling.temperature = 0.9
        message.sampling.seed = prompt + 1
        message.sampling.frequency_penalty = 0.3
        message.sampling.repetition_penalty = 1.1
    return message


class Client:
    """One user with a connection of its own, one request at a time."""

    def __init__(self, name: str, address: str, program: str,
                 history: History):
        self.name = name
        self._address = address
        self._program = program
        self._history = history
        self._lock = threading.Lock()
        self._call: Optional[grpc.Call] = None
        self._process: Optional[subprocess.Popen] = None
        self._channel = open_channel(address)
        self._connect()

    def _connect(self) -> None:
        self._inference = pb.inference_grpc.InferenceServiceStub(self._channel)
        self._control = pb.control_grpc.ControlServiceStub(self._channel)

    def use(self, history: History) -> None:
        """For the requests to come."""
        self._history = history

    def run(self, requests: Sequence[schedule.Request],
            stop: Callable[[], bool]) -> None:
        """One after the other, until they are done or `stop` says so."""
        for number, request in enumerate(requests):
            time.sleep(request.pause_s)
            if stop():
                return
            if self.send(f"{self.name}-{number}", request) != "OK":
                time.sleep(PAUSE_S)

    def send(self, request_id: str, request: schedule.Request) -> str:
        """How it ended: the code of its status."""
        if request.manner == "killed_client":
            return self._send_by_process(request_id, request)
        deadline_s = request.after_s if request.manner == "deadline" else None
        self._history.add("begin", request=request_id,
                          reference=request.reference(), deadline_s=deadline_s,
                          manner=request.manner)
        call = self._inference.GenerateStream(
            stream_request(request_id, request.prompt, request.max_tokens,
                           request.manner == "sampled"), timeout=deadline_s)
        with self._lock:
            self._call = call
        timer = threading.Timer(request.after_s, self._interfere,
                                (request_id, request.manner, call))
        if request.manner in ("cancel", "abort", "vanish"):
            timer.start()
        code, message = "OK", ""
        try:
            self._read(request_id, call, slow=request.manner == "slow")
        except grpc.RpcError as error:
            code, message = error.code().name, error.details() or ""
        except ValueError:
            # A closed channel says so in two ways.
            code = "CANCELLED"
        timer.cancel()
        self._history.add("status", request=request_id, code=code,
                          message=message)
        if request.manner == "vanish":
            self._channel.close()
            self._channel = open_channel(self._address)
            self._connect()
        return code

    def _read(self, request_id: str, call, slow: bool) -> None:
        add = self._history.add
        position = 0
        for event in call:
            kind = event.WhichOneof("event")
            if kind == "accepted":
                add("accepted", request=request_id)
            elif kind == "token_output":
                ids = list(event.token_output.token_ids)
                add("tokens", request=request_id, position=position, ids=ids,
                    text=event.token_output.text_delta)
                position += len(ids)
            elif kind == "resumed":
                # The server's count from here on: a token that is lost or sent
                # again shows as a gap.
                position = event.resumed.completion_tokens
                add("resumed", request=request_id, completion_tokens=position)
            elif kind == "finished":
                add("finished", request=request_id,
                    reason=REASONS[event.finished.reason],
                    completion_tokens=event.usage.completion_tokens)
            if slow:
                time.sleep(0.15)

    def _interfere(self, request_id: str, manner: str, call) -> None:
        how = {"cancel": "call"}.get(manner, manner)
        self._history.add("cancel", request=request_id, how=how)
        if manner == "cancel":
            call.cancel()
        elif manner == "vanish":
            self._channel.close()
        else:
            try:
                self._control.Abort(
                    pb.control.AbortRequest(request_id=request_id), timeout=5)
            except grpc.RpcError:
                pass  # It is done, or the scheduler is gone.

    def _send_by_process(self, request_id: str,
                         request: schedule.Request) -> str:
        """By the program `hybridserve`, which is killed."""
        self._history.add("begin", request=request_id,
                          reference=request.reference(), deadline_s=None,
                          manner=request.manner)
        process = subprocess.Popen(
            [self._program, "generate", f"--server={self._address}",
             f"--prompt={schedule.PROMPTS[request.prompt]}", "--ignore_eos",
             f"--max_tokens={request.max_tokens}", "--output=json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with self._lock:
            self._process = process
        try:
            output, error = process.communicate(timeout=request.after_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            output, error = process.communicate()
        if process.returncode == -signal.SIGKILL:
            self._history.add("vanished", request=request_id)
            return "VANISHED"
        if process.returncode != 0:
            named = re.match(r"hybridserve: ([A-Z_]+): ", error)
            code = named.group(1) if named else "UNKNOWN"
            self._history.add("status", request=request_id, code=code,
                              message=error.strip())
            return code
        self._tell_whole(request_id, json.loads(output))
        return "OK"

    def _tell_whole(self, request_id: str, answer: Dict) -> None:
        add = self._history.add
        add("accepted", request=request_id)
        add("tokens", request=request_id, position=0,
            ids=answer["token_ids"], text=answer["text"])
        add("finished", request=request_id, reason=answer["finish_reason"],
            completion_tokens=answer["usage"]["completion_tokens"])
        add("status", request=request_id, code="OK")

    def give_up(self) -> None:
        """Ends the request under way, which hangs."""
        with self._lock:
            if self._call is not None:
                self._call.cancel()
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        self._channel.close()
