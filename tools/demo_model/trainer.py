"""Training loop: packed windows, Muon and AdamW, warm-up / constant / decay.

Everything depends on the seed and the step number alone. Until the decay
begins nothing depends on the total number of steps, so that a run may be
resumed with another total as long as its decay has not begun; the result is
that of a run started with the final total.
"""

import dataclasses
import math
import os
import pathlib
import random
import time
from typing import Iterator, List, Optional

import torch
import tokenizers

from demo_model import corpus
from demo_model import muon
from demo_model import network as network_lib
from demo_model import tokenizer as tokenizer_lib

# A tokenized document: one list of ids a paragraph, its break included.
TokenDocument = List[List[int]]


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Lengths in tokens and steps; the decay runs on the longer windows."""

    steps: int
    seed: int
    batch_tokens: int = 2048
    short_window: int = 256
    long_window: int = 512
    muon_rate: float = 0.02  # The layers' matrices.
    adam_rate: float = 2e-3  # Embeddings, biases and norms.
    warmup_steps: int = 40
    decay_share: float = 0.4

    @property
    def decay_start(self) -> int:
        return self.steps - round(self.decay_share * self.steps)

    def factor(self, step: int) -> float:
        """What step `step`, from 0, multiplies the learning rates with."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        if step < self.decay_start:
            return 1.0
        return (self.steps - step) / (self.steps - self.decay_start)


def tokenize(
    documents: List[corpus.Document], tokenizer: tokenizers.Tokenizer
) -> List[TokenDocument]:
    result = []
    for document in documents:
        texts = [p + corpus.PARAGRAPH_BREAK for p in document[:-1]]
        texts.append(document[-1])
        encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
        result.append([e.ids for e in encoded])
    return result


def windows(
    documents: List[TokenDocument], length: int, seed: str
) -> Iterator[List[int]]:
    """Endless windows of length + 1 ids (inputs and shifted targets).

    Each begins with `</s>` and the beginning of a paragraph. A document that
    ends inside a window is followed by `</s>` and the next document; a
    paragraph that is cut at a window's end begins the next window, unless it
    began that window too: then the rest of it does. Every epoch shuffles the
    documents and begins each at a random one of its first paragraphs.
    """
    epoch = 0
    while True:
        rng = random.Random(f"{seed}:{epoch}")
        packed: List[List[int]] = []
        for document in rng.sample(documents, len(documents)):
            window = [tokenizer_lib.EOS_ID]
            pending = list(document[rng.randrange(min(4, len(document))) :])
            if packed and len(packed[-1]) < length // 2:
                window = packed.pop() + window
            while pending:
                paragraph = pending[0]
                room = length + 1 - len(window)
                window += paragraph[:room]
                if len(paragraph) <= room:
                    pending.pop(0)
                elif len(paragraph) > length // 2:
                    pending[0] = paragraph[room:]
                if len(window) > length:
                    packed.append(window)
                    window = [tokenizer_lib.EOS_ID]
            if len(window) > 1:
                packed.append(window)
        # Fill what is short with the beginnings of other documents.
        for window in packed:
            while len(window) <= length:
                filler = rng.choice(documents)
                window.append(tokenizer_lib.EOS_ID)
                for paragraph in filler:
                    window += paragraph
            del window[length + 1 :]
        rng.shuffle(packed)
        yield from packed
        epoch += 1


class Trainer:
    """Owns the network, the optimizer and the checkpoint file."""

    def __init__(
        self,
        shape: network_lib.Shape,
        schedule: Schedule,
        documents: List[TokenDocument],
        checkpoint: pathlib.Path,
    ) -> None:
        torch.manual_seed(schedule.seed)
        self.network = network_lib.Network(shape)
        self.schedule = schedule
        self.step = 0
        self._documents = documents
        self._checkpoint = checkpoint
        layers = self.network.layers
        stacked = [layer.qkv.weight for layer in layers]
        matrices = [
            linear.weight
            for layer in layers
            for linear in (layer.out, layer.fc1, layer.fc2)
        ]
        in_muon = {id(p) for p in stacked + matrices}
        others = [p for p in self.network.parameters() if id(p) not in in_muon]
        self._muon = muon.Muon(
            [{"params": stacked, "split": 3}, {"params": matrices}],
            lr=schedule.muon_rate,
        )
        self._adam = torch.optim.AdamW(
            others,
            lr=schedule.adam_rate,
            betas=(0.9, 0.95),
            weight_decay=0.0,
            foreach=True,
        )

    def resume(self) -> bool:
        """Loads the checkpoint if there is one; false if there is none."""
        if not self._checkpoint.exists():
            return False
        state = torch.load(self._checkpoint)
        saved = Schedule(**state["schedule"])
        same = dataclasses.replace(saved, steps=self.schedule.steps)
        begun = state["step"] > min(
            saved.decay_start, self.schedule.decay_start
        )
        if same != self.schedule or (begun and saved != self.schedule):
            raise ValueError(
                f"{self._checkpoint}: of another run, or its decay has begun: "
                f"{saved}"
            )
        self.network.load_state_dict(state["network"])
        self._muon.load_state_dict(state["muon"])
        self._adam.load_state_dict(state["adam"])
        self.step = state["step"]
        return True

    def save(self) -> None:
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        partial = self._checkpoint.with_suffix(".partial")
        torch.save(
            {
                "schedule": dataclasses.asdict(self.schedule),
                "step": self.step,
                "network": self.network.state_dict(),
                "muon": self._muon.state_dict(),
                "adam": self._adam.state_dict(),
            },
            partial,
        )
        os.replace(partial, self._checkpoint)

    def train(
        self,
        held_out: List[TokenDocument],
        checkpoint_steps: int,
        stop_after: Optional[int] = None,
    ) -> None:
        """Trains to the last step, or to `stop_after`; saves at the end."""
        last = min(self.schedule.steps, stop_after or self.schedule.steps)
        while self.step < last:
            decay = self.step >= self.schedule.decay_start
            end = last if decay else min(last, self.schedule.decay_start)
            self._train_phase(end, decay, held_out, checkpoint_steps)
        self.save()

    def held_out_loss(
        self, held_out: List[TokenDocument], batches: int = 8
    ) -> float:
        """Mean loss over the same few windows at every call, in nats."""
        length = self.schedule.short_window
        stream = windows(held_out, length, "held_out")
        total = 0.0
        with torch.no_grad():
            for _ in range(batches):
                batch = torch.tensor([next(stream) for _ in range(8)])
                total += self.network.loss(batch).item()
        return total / batches

    def _train_phase(
        self,
        end: int,
        decay: bool,
        held_out: List[TokenDocument],
        checkpoint_steps: int,
    ) -> None:
        schedule = self.schedule
        length = schedule.long_window if decay else schedule.short_window
        rows = schedule.batch_tokens // length
        stream = windows(self._documents, length, f"{schedule.seed}:{length}")
        done = self.step - (schedule.decay_start if decay else 0)
        for _ in range(done * rows):  # What earlier runs have used.
            next(stream)
        began, begin_step, losses = time.monotonic(), self.step, 0.0
        while self.step < end:
            batch = torch.tensor([next(stream) for _ in range(rows)])
            losses += self._update(batch)
            self.step += 1
            if self.step % 20 == 0 or self.step == end:
                seconds = time.monotonic() - began
                speed = (self.step - begin_step) / seconds
                print(
                    f"step {self.step}/{schedule.steps}"
                    f"  loss {losses / (self.step - begin_step):.3f}"
                    f"  {speed * schedule.batch_tokens:.0f} tokens/s"
                    f"  ETA {(schedule.steps - self.step) / speed / 60:.0f} min",
                    flush=True,
                )
                began, begin_step, losses = time.monotonic(), self.step, 0.0
            if self.step % checkpoint_steps == 0:
                self.save()
                loss = self.held_out_loss(held_out)
                print(
                    f"step {self.step}  held-out loss {loss:.3f}"
                    f"  perplexity {math.exp(loss):.1f}",
                    flush=True,
                )

    def _update(self, batch: torch.Tensor) -> float:
        factor = self.schedule.factor(self.step)
        for group in self._muon.param_groups:
            group["lr"] = factor * self.schedule.muon_rate
        for group in self._adam.param_groups:
            group["lr"] = factor * self.schedule.adam_rate
        self.network.zero_grad()
        loss = self.network.loss(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._muon.step()
        self._adam.step()
        return loss.item()
