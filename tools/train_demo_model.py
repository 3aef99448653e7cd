#!/usr/bin/env python3
"""Trains models/demo, the small OPT-architecture model that ships here.

One command regenerates the whole folder from text in Debian packages:

    tools/train_demo_model.py --out=models/demo

It downloads nothing. It needs Python 3.11 with PyTorch 1.13, transformers
4.30, tokenizers 0.13 and safetensors (models/demo's card
has the versions), a fast BLAS such as libopenblas0-pthread's (with the
reference BLAS it takes twenty times as long) and the Debian packages that it names when they are missing. The result depends
on the packages' text, --seed and --steps only; another machine or thread count
changes the rounding, hence the weights slightly.

Stopping it loses at most --checkpoint_steps steps: started again it goes on
from the checkpoint in --work_dir.
"""

import argparse
import os
import pathlib
import sys
import time
from typing import List


def parse_arguments(arguments: List[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Trains the demo model from text in Debian packages."
    )
    root = pathlib.Path(__file__).resolve().parent.parent
    add = parser.add_argument
    add(
        "--out",
        type=pathlib.Path,
        default=root / "models" / "demo",
        help="folder to write the model to (default: models/demo)",
    )
    add(
        "--work_dir",
        type=pathlib.Path,
        default=root / ".cache" / "train_demo",
        help="folder of the checkpoint (default: .cache/train_demo)",
    )
    add(
        "--package_root",
        type=pathlib.Path,
        default=pathlib.Path("/"),
        help="folder that Debian packages were unpacked into (default: /)",
    )
    add(
        "--steps",
        type=int,
        default=2500,
        help="optimizer steps of 2048 tokens (default: %(default)s)",
    )
    add("--seed", type=int, default=1, help="default: %(default)s")
    add(
        "--threads",
        type=int,
        default=1,
        help="threads of the arithmetic (default: %(default)s)",
    )
    add(
        "--checkpoint_steps",
        type=int,
        default=100,
        help="steps between checkpoints (default: %(default)s)",
    )
    add(
        "--stop_after",
        type=int,
        default=None,
        help="stop after this step, for a run in parts",
    )
    add("--fresh", action="store_true", help="ignore an older checkpoint")
    add(
        "--export_only",
        action="store_true",
        help="do not train; export the newest checkpoint as it is",
    )
    options = parser.parse_args(arguments)
    if options.steps < 200 or options.threads < 1:
        parser.error("--steps must be at least 200, --threads at least 1")
    return options


def main(arguments: List[str]) -> int:
    options = parse_arguments(arguments)
    # Before PyTorch is imported: the libraries read these once.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    import torch

    from demo_model import corpus
    from demo_model import network
    from demo_model import tokenizer as tokenizer_lib
    from demo_model import trainer as trainer_lib

    torch.set_num_threads(options.threads)
    try:
        texts = corpus.read_sources(options.package_root)
    except corpus.CorpusError as error:
        print(f"train_demo_model: {error}", file=sys.stderr)
        return 1
    training, held_out = corpus.split(texts, options.seed)
    shape = network.Shape()
    print("training the tokenizer", flush=True)
    tokenizer = tokenizer_lib.train(
        map(corpus.document_text, training), shape.vocab_size
    )
    training_ids = trainer_lib.tokenize(training, tokenizer)
    held_out_ids = trainer_lib.tokenize(held_out, tokenizer)
    schedule = trainer_lib.Schedule(steps=options.steps, seed=options.seed)
    trainer = trainer_lib.Trainer(
        shape, schedule, training_ids, options.work_dir / "checkpoint.pt"
    )
    tokens = sum(len(p) for d in training_ids for p in d)
    parameters = sum(p.numel() for p in trainer.network.parameters())
    print(f"{tokens} training tokens, {parameters} parameters", flush=True)
    if not options.fresh and trainer.resume():
        print(f"resumed at step {trainer.step}", flush=True)
    if not options.export_only:
        began = time.monotonic()
        trainer.train(
            held_out_ids, options.checkpoint_steps, options.stop_after
        )
        print(f"trained for {(time.monotonic() - began) / 60:.0f} min")

    from demo_model import export

    export.export(options.out, texts, tokens, held_out, tokenizer, trainer)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
