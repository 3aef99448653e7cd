"""Makes the golden models and answers of this folder with Hugging Face.

    python3 tests/golden/make_goldens.py [--out DIR]

Needs torch, transformers and tokenizers (tools/requirements.txt). For every
variant of OPT's config.json, and of Llama's, Mistral's and Qwen2's, it writes
with transformers a folder models/VARIANT (random weights, a byte-level
tokenizer) and answers.json:
float32 log-probs of every token of a text given those before it, and greedy
continuations of several prompts with the margin between the two best logits
at each step, so that a reader can tell a near tie from a mistake. Then the
same for models/demo and its held-out text, into demo_answers.json; --demo_only
does that alone (after the model was trained anew), --only=NAME one variant.
"""

import argparse
import json
import pathlib
import shutil

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM,
                          MistralConfig, MistralForCausalLM, OPTConfig,
                          OPTForCausalLM, PreTrainedModel,
                          PreTrainedTokenizerFast, Qwen2Config,
                          Qwen2ForCausalLM)

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
TEXT = ("In the beginning, 42 quick brown foxes jumped; \"why?\" asked the "
        "lazy dog. Größe, naïve café, 数学 and 🙂 follow.\n\tEnd of text.")
PROMPTS = ["A", "Hello, world", "The quick brown fox jumps over the lazy dog",
           "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18"]
DEMO_PROMPTS = ["In the beginning", "And the king said unto", "The love of",
                "It was a dark night, and", "1 2 3", "Größe und 数学 🙂"]
NEW_TOKENS = 24

COMMON = {"vocab_size": 320, "hidden_size": 48, "num_hidden_layers": 3,
          "num_attention_heads": 4, "max_position_embeddings": 256,
          "bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 1}
OPT = (OPTConfig, OPTForCausalLM,
       {"ffn_dim": 96, "word_embed_proj_dim": 48, "dropout": 0.0})
GATED = {"intermediate_size": 80, "attn_implementation": "eager"}
LLAMA = (LlamaConfig, LlamaForCausalLM, GATED)
MISTRAL = (MistralConfig, MistralForCausalLM,
           {"num_key_value_heads": 2, "sliding_window": None, **GATED})
QWEN2 = (Qwen2Config, Qwen2ForCausalLM, {"num_key_value_heads": 1, **GATED})

# name: (family, config overrides, how the checkpoint is saved)
VARIANTS = {
    "pre_norm": (OPT, {}, {}),
    "post_norm_projected": (
        OPT, {"do_layer_norm_before": False, "word_embed_proj_dim": 24}, {}),
    "pre_norm_projected": (OPT, {"word_embed_proj_dim": 40}, {}),
    "no_bias": (OPT, {"enable_bias": False}, {}),
    "no_norm_affine": (OPT, {"layer_norm_elementwise_affine": False}, {}),
    "no_final_norm": (OPT, {"_remove_final_layer_norm": True}, {}),
    "gelu": (OPT, {"activation_function": "gelu"}, {}),
    "untied_head": (OPT, {"tie_word_embeddings": False}, {}),
    "odd_shapes": (OPT, {"hidden_size": 63, "num_attention_heads": 3,
                         "ffn_dim": 97, "vocab_size": 331,
                         "word_embed_proj_dim": 63}, {}),
    "five_heads_sharded": (OPT, {"hidden_size": 60, "num_attention_heads": 5,
                                 "word_embed_proj_dim": 60},
                           {"max_shard_size": "60KB"}),
    "float16": (OPT, {}, {"dtype": torch.float16}),
    "bfloat16_sharded": (OPT, {}, {"dtype": torch.bfloat16,
                                   "max_shard_size": "50KB"}),
    "llama": (LLAMA, {}, {}),
    # Positions of the text are beyond what the model "was trained with".
    "llama_long": (LLAMA, {
        "num_key_value_heads": 2, "tie_word_embeddings": True,
        "eos_token_id": [2, 3], "rope_theta": 500000.0, "rope_scaling": {
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64}}, {}),
    "llama_linear": (LLAMA, {
        "attention_bias": True, "mlp_bias": True, "rms_norm_eps": 1e-4,
        "rope_scaling": {"rope_type": "linear", "factor": 4.0}}, {}),
    "llama_bfloat16_sharded": (LLAMA, {
        "hidden_size": 60, "num_attention_heads": 6,
        "num_key_value_heads": 6}, {"dtype": torch.bfloat16,
                                    "max_shard_size": "50KB"}),
    "mistral": (MISTRAL, {"head_dim": 20}, {}),
    "qwen2": (QWEN2, {"tie_word_embeddings": True, "rope_theta": 1e6}, {}),
}


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE without merges: every byte is a token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: i for i, token in enumerate(SPECIAL + alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="</s> $A", special_tokens=[("</s>", vocab["</s>"])])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="</s>",
                                   eos_token="</s>", unk_token="<unk>",
                                   pad_token="<pad>")


def make_model(family: tuple, overrides: dict, seed: int) -> PreTrainedModel:
    config_class, model_class, defaults = family
    torch.manual_seed(seed)
    model = model_class(
        config_class(**{**COMMON, **defaults, **overrides})).eval()
    # transformers' own initialisation is so small that all logits nearly tie
    # and biases are zero: draw every tensor large enough to matter.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("norm.weight"):
                parameter.uniform_(0.5, 1.5)
            elif parameter.dim() == 1:
                parameter.normal_(std=0.1)
            else:
                parameter.normal_(std=parameter.shape[1] ** -0.5)
    model.tie_weights()
    return model


@torch.no_grad()
def answers(model: PreTrainedModel, tokenizer) -> dict:
    text_ids = tokenizer(TEXT, add_special_tokens=False).input_ids
    ids = [model.config.bos_token_id] + text_ids
    log_probs = torch.log_softmax(
        model(torch.tensor([ids])).logits[0].float(), dim=-1)
    generations = []
    for prompt in PROMPTS:
        generations.append({
            "prompt": prompt, **greedy(model, tokenizer(prompt).input_ids)})
    return {
        "text": TEXT, "text_ids": text_ids,
        "log_probs": [round(float(log_probs[i, token]), 6)
                      for i, token in enumerate(text_ids)],
        "generations": generations,
    }


@torch.no_grad()
def greedy(model: PreTrainedModel, prompt_ids: list[int]) -> dict:
    tokens, margins = [], []
    for _ in range(NEW_TOKENS):
        logits = model(torch.tensor([prompt_ids + tokens])).logits[0, -1]
        best = torch.topk(logits.float(), 2)
        tokens.append(int(best.indices[0]))
        margins.append(round(float(best.values[0] - best.values[1]), 6))
    return {"prompt_ids": prompt_ids, "token_ids": tokens, "margins": margins}


@torch.no_grad()
def windowed_log_probs(model: PreTrainedModel, ids: list[int]) -> torch.Tensor:
    """As `hybridserve score`: windows of the model's limit, each after bos."""
    window = min(model.config.max_position_embeddings, 2048) - 1
    parts = []
    for first in range(0, len(ids), window):
        part = ids[first:first + window]
        logits = model(torch.tensor([[model.config.bos_token_id] + part])
                       ).logits[0, :-1].double()
        parts.append(torch.log_softmax(logits, dim=-1)
                     [torch.arange(len(part)), torch.tensor(part)])
    return torch.cat(parts)


def make_demo_answers() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    folder = root / "models" / "demo"
    model = OPTForCausalLM.from_pretrained(
        folder, torch_dtype=torch.float32).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    text = (folder / "heldout.txt").read_text("utf-8")
    ids = tokenizer(text, add_special_tokens=False).input_ids
    log_probs = windowed_log_probs(model, ids)
    answers = {
        "num_tokens": len(ids),
        "perplexity": float(torch.exp(-log_probs.mean())),
        "first_log_probs": [round(float(x), 6) for x in log_probs[:600]],
        "generations": [
            {"prompt": prompt, **greedy(model, tokenizer(prompt).input_ids)}
            for prompt in DEMO_PROMPTS],
    }
    path = pathlib.Path(__file__).parent / "demo_answers.json"
    path.write_text(json.dumps(answers, ensure_ascii=False) + "\n", "utf-8")
    print(f"demo: perplexity {answers['perplexity']:.4f} over {len(ids)} tokens")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path,
                        default=pathlib.Path(__file__).parent / "models")
    parser.add_argument("--demo_only", action="store_true")
    parser.add_argument("--only", choices=VARIANTS)
    args = parser.parse_args()
    out = args.out
    torch.set_num_threads(1)
    if args.only is None:
        make_demo_answers()
    if args.demo_only:
        return
    tokenizer = make_tokenizer()
    for seed, (name, variant) in enumerate(VARIANTS.items()):
        if args.only not in (None, name):
            continue
        family, overrides, saving = variant
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        saving = dict(saving)
        dtype = saving.pop("dtype", torch.float32)
        make_model(family, overrides, seed).to(dtype).save_pretrained(
            folder, safe_serialization=True, **saving)
        tokenizer.save_pretrained(folder)
        # The answers are of the folder as loaded again, in float32.
        model = AutoModelForCausalLM.from_pretrained(
            folder, torch_dtype=torch.float32,
            attn_implementation="eager").eval()
        with open(folder / "answers.json", "w", encoding="utf-8") as file:
            json.dump(answers(model, tokenizer), file, ensure_ascii=False)
            file.write("\n")
        print(f"{name}: {sum(p.numel() for p in model.parameters())} "
              f"parameters, {sorted(p.name for p in folder.iterdir())}",
              flush=True)


if __name__ == "__main__":
    main()
