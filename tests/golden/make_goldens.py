"""Makes the golden models and answers of this folder with Hugging Face.

    python3 tests/golden/make_goldens.py [--out DIR]

Needs torch, transformers and tokenizers (tools/requirements.txt). For every
variant of OPT's config.json it writes with transformers a folder
models/VARIANT (random weights, a byte-level tokenizer) and answers.json:
float32 log-probs of every token of a text given those before it, and greedy
continuations of several prompts with the margin between the two best logits
at each step, so that a reader can tell a near tie from a mistake.
"""

import argparse
import json
import pathlib
import shutil

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import OPTConfig, OPTForCausalLM, PreTrainedTokenizerFast

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
TEXT = ("In the beginning, 42 quick brown foxes jumped; \"why?\" asked the "
        "lazy dog. Größe, naïve café, 数学 and 🙂 follow.\n\tEnd of text.")
PROMPTS = ["A", "Hello, world", "The quick brown fox jumps over the lazy dog",
           "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18"]
NEW_TOKENS = 24

# name: (config overrides, how the checkpoint is saved)
VARIANTS = {
    "pre_norm": ({}, {}),
    "post_norm_projected": (
        {"do_layer_norm_before": False, "word_embed_proj_dim": 24}, {}),
    "pre_norm_projected": ({"word_embed_proj_dim": 40}, {}),
    "no_bias": ({"enable_bias": False}, {}),
    "no_norm_affine": ({"layer_norm_elementwise_affine": False}, {}),
    "no_final_norm": ({"_remove_final_layer_norm": True}, {}),
    "gelu": ({"activation_function": "gelu"}, {}),
    "untied_head": ({"tie_word_embeddings": False}, {}),
    "odd_shapes": ({"hidden_size": 63, "num_attention_heads": 3,
                    "ffn_dim": 97, "vocab_size": 331,
                    "word_embed_proj_dim": 63}, {}),
    "five_heads_sharded": ({"hidden_size": 60, "num_attention_heads": 5,
                            "word_embed_proj_dim": 60},
                           {"max_shard_size": "60KB"}),
    "float16": ({}, {"dtype": torch.float16}),
    "bfloat16_sharded": ({}, {"dtype": torch.bfloat16,
                              "max_shard_size": "50KB"}),
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


def make_model(overrides: dict, seed: int) -> OPTForCausalLM:
    config = OPTConfig(**{
        "vocab_size": 320, "hidden_size": 48, "num_hidden_layers": 3,
        "ffn_dim": 96, "num_attention_heads": 4, "max_position_embeddings": 256,
        "word_embed_proj_dim": 48, "bos_token_id": 2, "eos_token_id": 2,
        "pad_token_id": 1, "dropout": 0.0, **overrides})
    torch.manual_seed(seed)
    model = OPTForCausalLM(config).eval()
    # transformers' own initialisation is so small that all logits nearly tie
    # and biases are zero: draw every tensor large enough to matter.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "layer_norm.weight" in name:
                parameter.uniform_(0.5, 1.5)
            elif parameter.dim() == 1:
                parameter.normal_(std=0.1)
            else:
                parameter.normal_(std=parameter.shape[1] ** -0.5)
    model.tie_weights()
    return model


@torch.no_grad()
def answers(model: OPTForCausalLM, tokenizer) -> dict:
    text_ids = tokenizer(TEXT, add_special_tokens=False).input_ids
    ids = [model.config.bos_token_id] + text_ids
    log_probs = torch.log_softmax(
        model(torch.tensor([ids])).logits[0].float(), dim=-1)
    generations = []
    for prompt in PROMPTS:
        prompt_ids = tokenizer(prompt).input_ids
        tokens, margins = [], []
        for _ in range(NEW_TOKENS):
            logits = model(torch.tensor([prompt_ids + tokens])).logits[0, -1]
            best = torch.topk(logits.float(), 2)
            tokens.append(int(best.indices[0]))
            margins.append(round(float(best.values[0] - best.values[1]), 6))
        generations.append({"prompt": prompt, "prompt_ids": prompt_ids,
                            "token_ids": tokens, "margins": margins})
    return {
        "text": TEXT, "text_ids": text_ids,
        "log_probs": [round(float(log_probs[i, token]), 6)
                      for i, token in enumerate(text_ids)],
        "generations": generations,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path,
                        default=pathlib.Path(__file__).parent / "models")
    out = parser.parse_args().out
    torch.set_num_threads(1)
    tokenizer = make_tokenizer()
    for seed, (name, (overrides, saving)) in enumerate(VARIANTS.items()):
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        saving = dict(saving)
        dtype = saving.pop("dtype", torch.float32)
        make_model(overrides, seed).to(dtype).save_pretrained(
            folder, safe_serialization=True, **saving)
        tokenizer.save_pretrained(folder)
        # The answers are of the folder as loaded again, in float32.
        model = OPTForCausalLM.from_pretrained(
            folder, torch_dtype=torch.float32).eval()
        with open(folder / "answers.json", "w", encoding="utf-8") as file:
            json.dump(answers(model, tokenizer), file, ensure_ascii=False)
            file.write("\n")
        print(f"{name}: {sum(p.numel() for p in model.parameters())} "
              f"parameters, {sorted(p.name for p in folder.iterdir())}",
              flush=True)


if __name__ == "__main__":
    main()
