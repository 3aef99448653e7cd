"""The model card, models/demo/README.md, from measured facts."""

import dataclasses
from typing import Dict, List

from demo_model import corpus
from demo_model import network as network_lib
from demo_model import trainer as trainer_lib


@dataclasses.dataclass(frozen=True)
class Score:
    tokens: int
    perplexity: float


@dataclasses.dataclass(frozen=True)
class Facts:
    """All that the card states and that is not the same for every run."""

    sources: List[corpus.SourceText]
    shape: network_lib.Shape
    schedule: trainer_lib.Schedule
    step: int
    parameters: int
    training_tokens: int
    machine: str
    versions: Dict[str, str]
    date: str
    excerpt: Score
    held_out: Score
    greedy: Dict[str, str]
    sampled: Dict[str, str]


def render(facts: Facts) -> str:
    return "\n".join(
        _introduction(facts)
        + _data(facts)
        + _training(facts)
        + _quality(facts)
        + _limits(facts)
    )


def _introduction(facts: Facts) -> List[str]:
    shape = facts.shape
    return [
        "# HybridServe's demo model",
        "",
        "A small English language model of the OPT architecture, trained from",
        "scratch for this repository so that its demo and tests have real",
        "weights. It is made for showing a serving system at work, not for use",
        "as a source of text or of facts.",
        "",
        "| Property | Value |",
        "| --- | --- |",
        "| Architecture | OPT (`OPTForCausalLM`): pre-norm, multi-head, learned"
        " positions (offset 2), relu, biases, tied head |",
        f"| Parameters | {facts.parameters:,} |",
        f"| Layers, heads | {shape.layers}, {shape.heads} |",
        f"| Hidden size, feed-forward size | {shape.hidden_size},"
        f" {shape.ffn_dim} |",
        f"| Positions | {shape.max_positions} |",
        f"| Vocabulary | {shape.vocab_size:,} (byte-level BPE; `<s>` 0, `<pad>`"
        " 1, `</s>` 2 = bos and eos, `<unk>` 3) |",
        "| Weights | bfloat16, `model.safetensors` |",
        "| Licence | Apache-2.0, as the repository |",
        "",
        "The tokenizer puts `</s>` before a text, as OPT's does. Transformers",
        "loads the folder with `AutoModelForCausalLM` and `AutoTokenizer`.",
        "",
    ]


def _data(facts: Facts) -> List[str]:
    lines = [
        "## Data",
        "",
        "Books in the public domain, read from Debian 12 packages:",
        "",
        "| Work | Package | Version | Licence | Chapters | Bytes | SHA-256 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for text in facts.sources:
        source = text.source
        lines.append(
            f"| {source.work} | {source.package} | {text.version} |"
            f" {source.licence} | {len(text.documents)} | {text.characters:,} |"
            f" `{text.sha256}` |"
        )
    share = round(100 * corpus.HELD_OUT_SHARE)
    return lines + [
        "",
        "Bytes and SHA-256 are of the extracted text, chapters separated by a",
        "form feed. Lines are unwrapped, headings and marks for italics",
        "dropped, Bible verses joined into paragraphs. Chapters are shuffled",
        f"within each work with seed {facts.schedule.seed}; {share}% of them are",
        f"held out. The rest is {facts.training_tokens:,} tokens.",
        "`heldout.txt` is an excerpt of the held-out chapters.",
        "",
    ]


def _training(facts: Facts) -> List[str]:
    schedule = facts.schedule
    versions = ", ".join(f"{k} {v}" for k, v in facts.versions.items())
    tokens = facts.step * schedule.batch_tokens
    unfinished = (
        []
        if facts.step == schedule.steps
        else [
            f"**This is step {facts.step} of {schedule.steps}: the training has",
            "not ended.**",
            "",
        ]
    )
    return (
        [
            "## Training",
            "",
            "    tools/train_demo_model.py --out=models/demo"
            f" --steps={schedule.steps} --seed={schedule.seed}",
            "",
        ]
        + unfinished
        + [
            f"{facts.step:,} steps of {schedule.batch_tokens:,} tokens"
            f" ({tokens:,} tokens, {tokens / facts.training_tokens:.1f} times the"
            " training text).",
            f"Muon for the layers' matrices (rate {schedule.muon_rate:g}), AdamW"
            f" for the rest (rate {schedule.adam_rate:g}),",
            f"gradient norm at most 1; {schedule.warmup_steps} steps of warm-up,"
            f" then constant, falling linearly to 0 from step"
            f" {schedule.decay_start:,} on;",
            f"windows of {schedule.short_window} tokens before that step,"
            f" {schedule.long_window} after it. Float32, one thread,",
            f"{facts.machine}; finished {facts.date}.",
            f"Software: {versions}.",
            "",
        ]
    )


def _quality(facts: Facts) -> List[str]:
    lines = [
        "## Held-out perplexity",
        "",
        "Of these bfloat16 weights in float32 arithmetic (transformers), in",
        f"consecutive windows of {facts.shape.max_positions - 1} tokens, each"
        " after `</s>`:",
        "",
        "| Text | Tokens | Perplexity |",
        "| --- | --- | --- |",
        f"| `heldout.txt` | {facts.excerpt.tokens:,} |"
        f" {facts.excerpt.perplexity:.4f} |",
        f"| all held-out chapters | {facts.held_out.tokens:,} |"
        f" {facts.held_out.perplexity:.4f} |",
        "",
        "## Samples",
        "",
        "80 tokens each; the prompt is bold.",
        "",
    ]
    for title, samples in (
        ("Greedy", facts.greedy),
        ("Temperature 0.8, seed 1", facts.sampled),
    ):
        lines += [f"### {title}", ""]
        for prompt, text in samples.items():
            quoted = f"**{prompt}**{text}".replace("\n\n", "\n>\n> ")
            lines += [f"> {quoted}", ""]
    return lines


def _limits(facts: Facts) -> List[str]:
    if facts.step * facts.schedule.batch_tokens < facts.training_tokens:
        # Less than one pass over the text: loses the thread within sentences.
        skill = [
            "- It was trained on less than one pass over its text, and shows it:",
            "  phrases and punctuation are right, whole sentences often are not.",
            "  A larger `--steps` is the remedy. Greedy text repeats itself;",
            "  temperature 0.8 reads better.",
        ]
    else:
        skill = [
            "- It keeps to grammar for a sentence or two and to a subject hardly",
            "  longer. Greedy text tends to repeat itself; temperature 0.8 reads",
            "  better.",
        ]
    return _LIMITS_BEFORE + skill + _LIMITS_AFTER


_LIMITS_BEFORE = [
    "## Limits",
    "",
    "- It writes in the manner of its few books: archaic English, their names",
    "  and places, their authors' views and prejudices. What it says is",
    "  not true, and it follows no instructions.",
]

_LIMITS_AFTER = [
    "- Passages of the Bible that have parallels in other books make the",
    "  held-out perplexity a little lower than it would be on unseen prose.",
    "- Text in other languages and scripts is tokenized byte by byte and not",
    "  understood.",
    "- Training again on another machine, or with other library versions,",
    "  gives slightly different weights of the same quality.",
    "",
]
