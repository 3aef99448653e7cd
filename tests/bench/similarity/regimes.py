"""The regimes of large models on a large GPU, scaled to a machine at hand.

Policy speed-ups depend only on h/beta, B/beta and N/h, where beta is the
device's FLOP/s over the link's bytes/s for elements of two bytes, B the
sequences of a batch and N its tokens of context (docs/architecture.md). So a
small model behind a slow enough link is, in wall clock, a large model on a GPU.
"""

import dataclasses
from typing import List

# FLOP a byte of an RTX 4090 behind PCIe 4.0: 150 TFLOP/s over 24 GB/s.
PAPER_BETA = 6250.0
PAPER_BATCH = 128
PAPER_POOL_TOKENS = 64 * 1024  # Held as keys and values.


@dataclasses.dataclass(frozen=True)
class Regime:
    """A model on the GPU of the paper."""

    name: str
    hidden: int  # Of the model at paper scale.

    @property
    def hidden_over_beta(self) -> float:
        return self.hidden / PAPER_BETA


REGIMES = [
    Regime("OPT-6.7B", 4096),
    Regime("OPT-13B", 5120),
    Regime("OPT-30B", 7168),
    Regime("OPT-66B", 9216),
]


@dataclasses.dataclass(frozen=True)
class Stand:
    """A regime as it runs here, by a model of `hidden`."""

    regime: Regime
    hidden: int
    beta: float  # FLOP a byte, for elements of two bytes.
    link_bytes_per_s: float
    batch: int  # The paper's 128 sequences.
    pool_tokens: int  # The paper's host pool, as keys and values.


def scale(
    regime: Regime, hidden: int, flops_per_s: float, element_bytes: int
) -> Stand:
    """`flops_per_s` is the measured rate at which K and V are rebuilt."""
    beta = hidden / regime.hidden_over_beta
    # Elements of other sizes cross the link as if it were that much faster.
    link = flops_per_s / beta * element_bytes / 2
    return Stand(
        regime=regime,
        hidden=hidden,
        beta=beta,
        link_bytes_per_s=link,
        batch=max(1, round(PAPER_BATCH * beta / PAPER_BETA)),
        pool_tokens=round(PAPER_POOL_TOKENS * beta / PAPER_BETA),
    )


def pool_bytes(stand: Stand, layers: int, element_bytes: int) -> int:
    """Host memory that holds the pool's tokens as keys and values."""
    return stand.pool_tokens * 2 * stand.hidden * element_bytes * layers


def rebuild_flops_per_s(hidden: int, seconds_per_row: float) -> float:
    """K and V of a row are two products with [hidden, hidden] matrices."""
    return 4 * hidden * hidden / seconds_per_row


def model_config(hidden: int, layers: int, max_positions: int) -> dict:
    """An OPT config.json of that shape; a small vocabulary, so that the head
    is as small a part of a step as it is at paper scale."""
    return {
        "architectures": ["OPTForCausalLM"],
        "model_type": "opt",
        "hidden_size": hidden,
        "word_embed_proj_dim": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": hidden // 64,
        "ffn_dim": 4 * hidden,
        "vocab_size": 512,
        "max_position_embeddings": max_positions,
        "do_layer_norm_before": True,
        "activation_function": "relu",
        "enable_bias": True,
        "layer_norm_elementwise_affine": True,
        "tie_word_embeddings": True,
        "bos_token_id": 2,
        "eos_token_id": 2,
        "pad_token_id": 1,
        "torch_dtype": "float32",
    }


def geometric_mean(values: List[float]) -> float:
    product = 1.0
    for value in values:
        product *= value
    return product ** (1 / len(values))
