"""Muon: momentum whose matrix update is made orthogonal.

Keller Jordan et al., "Muon: An optimizer for hidden layers in neural
networks", 2024. On this model it reaches a given loss in about half of AdamW's
steps, for a third more time a step.
"""

import math
from typing import Dict, List, Tuple

import torch

# Coefficients of the quintic Newton-Schulz iteration; see the paper.
_A, _B, _C = 3.4445, -4.7750, 2.0315
_ITERATIONS = 5

# What to change, the momentum's direction, the rate.
_Update = Tuple[torch.Tensor, torch.Tensor, float]


def orthogonalize(matrices: torch.Tensor) -> torch.Tensor:
    """[n, rows, columns], rows <= columns, to nearly orthonormal rows."""
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_ITERATIONS):
        gram = torch.bmm(x, x.transpose(1, 2))
        polynomial = torch.baddbmm(gram, gram, gram, beta=_B, alpha=_C)
        x = torch.baddbmm(x, polynomial, x, beta=_A)
    return x


class Muon(torch.optim.Optimizer):
    """For matrices [k * columns, columns] or [columns, k * columns].

    A tall matrix of `split` stacked square ones (the q, k and v projections)
    is updated as those; give such parameters their own group.
    """

    def __init__(
        self,
        groups: List[Dict],
        lr: float,
        momentum: float = 0.95,
    ) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "split": 1})

    @torch.no_grad()
    def step(self) -> None:
        # Matrices of one shape are orthogonalized together.
        batches: Dict[Tuple[int, int], List[_Update]] = {}
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                state = self.state[parameter]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(parameter)
                state["momentum"].lerp_(gradient, 1.0 - group["momentum"])
                nesterov = gradient.lerp(state["momentum"], group["momentum"])
                for target, change in zip(
                    parameter.chunk(group["split"]),
                    nesterov.chunk(group["split"]),
                ):
                    ratio = target.shape[0] / target.shape[1]
                    # Tall matrices move further, as in the paper.
                    rate = group["lr"] * math.sqrt(max(1.0, ratio))
                    if ratio > 1.0:
                        target, change = target.t(), change.t()
                    batches.setdefault(
                        (target.shape[0], target.shape[1]), []
                    ).append((target, change, rate))
        for batch in batches.values():
            directions = orthogonalize(torch.stack([b[1] for b in batch]))
            for (target, _, rate), direction in zip(batch, directions):
                target.add_(direction, alpha=-rate)
