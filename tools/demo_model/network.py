"""The demo model for training: OPT's architecture in plain PyTorch.

The same mathematics as transformers' OPTForCausalLM with the settings of
`opt_config`. The three projections of attention are one matrix, there are no
padding masks and most of attention's masked half is skipped: a training step
on one CPU core is faster so. export.py checks that the logits are the same.
"""

import dataclasses
import math
from typing import Dict

import torch
import torch.nn.functional as F
from torch import nn

POSITION_OFFSET = 2  # As in OPT: position p uses row p + 2 of the table.
_QUERY_BLOCK = 128


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of the network; the head is tied to the token embedding."""

    vocab_size: int = 4096
    hidden_size: int = 256
    layers: int = 4
    heads: int = 8
    ffn_dim: int = 1024
    max_positions: int = 512


def _causal_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor
) -> torch.Tensor:
    """[batch * heads, time, head] each; same shape.

    In blocks of queries, so that most of the masked half is not computed.
    """
    time, head = q.shape[1:]
    blocks = []
    for begin in range(0, time, _QUERY_BLOCK):
        end = min(begin + _QUERY_BLOCK, time)
        mask = torch.full((end - begin, end), -math.inf).triu(1 + begin)
        scores = torch.baddbmm(
            mask,
            q[:, begin:end],
            k[:, :end].transpose(1, 2),
            alpha=1.0 / math.sqrt(head),
        )
        blocks.append(torch.bmm(torch.softmax(scores, dim=-1), v[:, :end]))
    return torch.cat(blocks, dim=1)


class _Layer(nn.Module):
    """A pre-norm decoder layer: attention, then a relu feed-forward."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.hidden_size
        self.heads = shape.heads
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.ffn_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, shape.ffn_dim)
        self.fc2 = nn.Linear(shape.ffn_dim, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: [batch, time, width]."""
        batch, time, width = x.shape
        head = width // self.heads
        qkv = self.qkv(self.attention_norm(x))
        q, k, v = (
            part.view(batch, time, self.heads, head)
            .transpose(1, 2)
            .reshape(batch * self.heads, time, head)
            for part in qkv.split(width, dim=2)
        )
        mixed = (
            _causal_attention(q, k, v)
            .view(batch, self.heads, time, head)
            .transpose(1, 2)
            .reshape(batch, time, width)
        )
        x = x + self.out(mixed)
        return x + self.fc2(F.relu(self.fc1(self.ffn_norm(x))))


class Network(nn.Module):
    """Token ids [batch, time] to logits [batch, time, vocab]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.hidden_size
        self.tokens = nn.Embedding(shape.vocab_size, width)
        self.positions = nn.Embedding(
            shape.max_positions + POSITION_OFFSET, width
        )
        self.layers = nn.ModuleList(_Layer(shape) for _ in range(shape.layers))
        self.final_norm = nn.LayerNorm(width)
        self._initialize()

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        time = ids.shape[1]
        x = (
            self.tokens(ids)
            + self.positions.weight[POSITION_OFFSET : POSITION_OFFSET + time]
        )
        for layer in self.layers:
            x = layer(x)
        return F.linear(self.final_norm(x), self.tokens.weight)

    def loss(self, windows: torch.Tensor) -> torch.Tensor:
        """Mean negative log-likelihood of windows[:, 1:], in nats."""
        logits = self(windows[:, :-1])
        return F.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), windows[:, 1:].reshape(-1)
        )

    def _initialize(self) -> None:
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)
        for layer in self.layers:
            for linear in (layer.out, layer.fc2):
                linear.weight.data /= math.sqrt(2 * self.shape.layers)


def to_opt_state(network: Network) -> Dict[str, torch.Tensor]:
    """The weights under the names of transformers' OPTForCausalLM."""
    base = "model.decoder."
    state = {
        "lm_head.weight": network.tokens.weight,
        base + "embed_tokens.weight": network.tokens.weight,
        base + "embed_positions.weight": network.positions.weight,
    }
    modules: Dict[str, nn.Module] = {
        base + "final_layer_norm": network.final_norm
    }
    for i, layer in enumerate(network.layers):
        prefix = f"{base}layers.{i}."
        for name, weight, bias in zip(
            ("q_proj", "k_proj", "v_proj"),
            layer.qkv.weight.chunk(3),
            layer.qkv.bias.chunk(3),
        ):
            state[f"{prefix}self_attn.{name}.weight"] = weight
            state[f"{prefix}self_attn.{name}.bias"] = bias
        modules[prefix + "self_attn.out_proj"] = layer.out
        modules[prefix + "self_attn_layer_norm"] = layer.attention_norm
        modules[prefix + "final_layer_norm"] = layer.ffn_norm
        modules[prefix + "fc1"] = layer.fc1
        modules[prefix + "fc2"] = layer.fc2
    for name, module in modules.items():
        state[name + ".weight"] = module.weight
        state[name + ".bias"] = module.bias
    return {k: v.detach().clone().contiguous() for k, v in state.items()}
