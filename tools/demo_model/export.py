"""Writes the trained network as a Hugging Face folder, measured and described.

The numbers of the card are those of the exported files: the folder is loaded
with transformers' Auto classes, its bfloat16 weights widened to float32.
"""

import math
import pathlib
import platform
import time
from typing import Dict, List, Sequence

import safetensors
import tokenizers
import torch
import transformers

from demo_model import card
from demo_model import corpus
from demo_model import network as network_lib
from demo_model import tokenizer as tokenizer_lib
from demo_model import trainer as trainer_lib

_EXCERPT_BYTES = 60_000
_PROMPTS = (
    "In the beginning",
    "And the king said unto his servants,",
    "It was a fine morning, and Elizabeth",
    '"My dear Watson," said Holmes,',
    "Tom was",
)


def opt_config(shape: network_lib.Shape) -> transformers.OPTConfig:
    return transformers.OPTConfig(
        vocab_size=shape.vocab_size,
        hidden_size=shape.hidden_size,
        word_embed_proj_dim=shape.hidden_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        ffn_dim=shape.ffn_dim,
        max_position_embeddings=shape.max_positions,
        do_layer_norm_before=True,
        activation_function="relu",
        dropout=0.0,
        pad_token_id=tokenizer_lib.PAD_ID,
        bos_token_id=tokenizer_lib.EOS_ID,
        eos_token_id=tokenizer_lib.EOS_ID,
    )


def export(
    folder: pathlib.Path,
    texts: List[corpus.SourceText],
    training_tokens: int,
    held_out: List[corpus.Document],
    tokenizer: tokenizers.Tokenizer,
    trainer: trainer_lib.Trainer,
) -> None:
    """Writes every file of `folder`, README.md last."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = trainer.network.shape
    model = transformers.OPTForCausalLM(opt_config(shape))
    model.load_state_dict(network_lib.to_opt_state(trainer.network))
    model.eval()
    _check_same_logits(trainer.network, model)
    model.to(torch.bfloat16).save_pretrained(folder, safe_serialization=True)
    (folder / "model.safetensors").chmod(0o644)  # It is written as 0600.
    tokenizer_lib.save(tokenizer, folder, shape.max_positions)
    excerpt = corpus.held_out_excerpt(held_out, _EXCERPT_BYTES)
    (folder / "heldout.txt").write_text(excerpt, encoding="utf-8")

    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, torch_dtype=torch.float32
    )
    model.eval()
    loaded = transformers.AutoTokenizer.from_pretrained(folder)
    split = corpus.PARAGRAPH_BREAK.join(map(corpus.document_text, held_out))
    facts = card.Facts(
        sources=texts,
        shape=shape,
        schedule=trainer.schedule,
        step=trainer.step,
        parameters=sum(p.numel() for p in model.parameters()),
        training_tokens=training_tokens,
        machine=_machine(),
        versions=_versions(),
        date=time.strftime("%Y-%m-%d", time.gmtime()),
        excerpt=_perplexity(model, loaded, excerpt),
        held_out=_perplexity(model, loaded, split),
        greedy=_samples(model, loaded, temperature=0.0),
        sampled=_samples(model, loaded, temperature=0.8),
    )
    (folder / "README.md").write_text(card.render(facts), encoding="utf-8")
    print(
        f"held-out perplexity: excerpt {facts.excerpt.perplexity:.4f}, "
        f"all {facts.held_out.perplexity:.4f}"
    )


def _check_same_logits(
    network: network_lib.Network, model: transformers.OPTForCausalLM
) -> None:
    """Both implementations must agree, or the training was of another model."""
    shape = network.shape
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(
        4, shape.vocab_size, (2, shape.max_positions), generator=generator
    )
    with torch.no_grad():
        difference = (network(ids) - model(ids).logits).abs().max().item()
    if difference > 1e-3:
        raise AssertionError(f"logits differ by {difference}")


def _perplexity(
    model: transformers.PreTrainedModel,
    tokenizer: transformers.PreTrainedTokenizerBase,
    text: str,
) -> card.Score:
    """exp(-mean log p): windows of max positions - 1 tokens after `</s>`."""
    ids = tokenizer(text, add_special_tokens=False, verbose=False).input_ids
    length = model.config.max_position_embeddings - 1
    total = 0.0
    with torch.no_grad():
        for begin in range(0, len(ids), length):
            window = ids[begin : begin + length]
            inputs = torch.tensor([[model.config.bos_token_id] + window])
            logits = model(inputs).logits[0, :-1]
            log_probs = torch.log_softmax(logits.double(), dim=-1)
            targets = torch.tensor(window)
            total += log_probs.gather(1, targets[:, None]).sum().item()
    return card.Score(tokens=len(ids), perplexity=math.exp(-total / len(ids)))


def _samples(
    model: transformers.PreTrainedModel,
    tokenizer: transformers.PreTrainedTokenizerBase,
    temperature: float,
    prompts: Sequence[str] = _PROMPTS,
) -> Dict[str, str]:
    """Prompt to continuation of 80 tokens; greedy at temperature 0."""
    result = {}
    for prompt in prompts:
        transformers.set_seed(1)
        inputs = tokenizer(prompt, return_tensors="pt")
        sampling = {"do_sample": True, "temperature": temperature, "top_k": 0}
        ids = model.generate(
            inputs.input_ids,
            attention_mask=inputs.attention_mask,
            max_new_tokens=80,
            **(sampling if temperature else {"do_sample": False}),
        )
        new = ids[0, inputs.input_ids.shape[1] :]
        result[prompt] = tokenizer.decode(new, skip_special_tokens=True)
    return result


def _machine() -> str:
    model = platform.machine()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return model
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return model


def _versions() -> Dict[str, str]:
    modules = (torch, transformers, tokenizers, safetensors)
    versions = {m.__name__: m.__version__ for m in modules}
    return {"Python": platform.python_version(), **versions}
