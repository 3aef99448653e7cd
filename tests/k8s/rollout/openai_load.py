"""Programs that ask a gateway through OpenAI's package, without a pause, and
what went wrong for them."""

import threading

import httpx2
import openai

from tests.k8s.rollout.load import PROMPTS

MODEL = "demo"
TIMEOUT_S = 240
# What OpenAI's package does if it is not told otherwise.
USUAL_RETRIES = 2
# With pauses of up to 8 s: for as long as a scheduler drains and starts.
PATIENT_RETRIES = 16


class OpenAiLoad:
    """`clients` of them, half streaming; each with the package's own retries,
    at most `retries` a request."""

    def __init__(self, address: str, clients: int, max_tokens: int,
                 retries: int):
        self._address, self._max_tokens = address, max_tokens
        self._retries = retries
        # A gateway that has just started may have no connection yet.
        with self._connect(PATIENT_RETRIES) as client:
            self._expected = {prompt: self._ask(client, prompt, stream=False)
                              for prompt in PROMPTS}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.answered = 0
        self.failures: list[str] = []
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def _connect(self, retries: int) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"http://{self._address}/v1",
                             api_key="any", max_retries=retries,
                             timeout=TIMEOUT_S)

    def _ask(self, client: openai.OpenAI, prompt: str, stream: bool) -> str:
        answer = client.completions.create(
            model=MODEL, prompt=prompt, max_tokens=self._max_tokens,
            temperature=0, stream=stream, extra_body={"ignore_eos": True})
        if not stream:
            return answer.choices[0].text
        return "".join(choice.text for chunk in answer
                       for choice in chunk.choices)

    def _run(self, number: int) -> None:
        turn = number
        with self._connect(self._retries) as client:
            while not self._stop.is_set():
                prompt = PROMPTS[turn % len(PROMPTS)]
                failure = None
                try:
                    text = self._ask(client, prompt, stream=number % 2 == 1)
                    if text != self._expected[prompt]:
                        failure = f"wrong text: {text!r}"
                except (openai.OpenAIError, httpx2.HTTPError) as error:
                    failure = f"{type(error).__name__}: {error}"
                with self._lock:
                    if failure is None:
                        self.answered += 1
                    else:
                        self.failures.append(failure)
                turn += 1
                self._stop.wait(0.1)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(TIMEOUT_S)
            if thread.is_alive():
                raise TimeoutError("a completion hangs")
