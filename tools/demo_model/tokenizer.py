"""The demo model's tokenizer: byte-level BPE with OPT's special tokens."""

import json
import pathlib
from typing import Iterable

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, processors, trainers

# Ids 0..3 in this order, as in OPT; `</s>` is both bos and eos.
SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")
PAD_ID = 1
EOS_ID = 2

_TOKENIZER_CONFIG = {
    "add_prefix_space": False,
    "bos_token": "</s>",
    "clean_up_tokenization_spaces": False,
    "eos_token": "</s>",
    "pad_token": "<pad>",
    "tokenizer_class": "PreTrainedTokenizerFast",
    "unk_token": "<unk>",
}


def train(texts: Iterable[str], vocab_size: int) -> tokenizers.Tokenizer:
    """Learns `vocab_size` tokens, special ones included, from `texts`."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="</s> $A",
        pair="</s> $A </s> $B",
        special_tokens=[("</s>", EOS_ID)],
    )
    assert tokenizer.get_vocab_size() == vocab_size
    return tokenizer


def save(
    tokenizer: tokenizers.Tokenizer, folder: pathlib.Path, max_positions: int
) -> None:
    """Writes the files that transformers.AutoTokenizer reads."""
    tokenizer.save(str(folder / "tokenizer.json"))
    config = dict(_TOKENIZER_CONFIG, model_max_length=max_positions)
    special = {k: v for k, v in config.items() if k.endswith("_token")}
    _write_json(folder / "tokenizer_config.json", config)
    _write_json(folder / "special_tokens_map.json", special)


def _write_json(path: pathlib.Path, value: object) -> None:
    text = json.dumps(value, indent=2, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8")
