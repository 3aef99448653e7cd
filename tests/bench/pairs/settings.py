"""The grid of settings: context, batch, link speed and device memory."""

import dataclasses
from typing import List

from tests.bench.similarity import regimes

HIDDEN = 256
LAYERS = 4
MAX_POSITIONS = 1024
ELEMENT_BYTES = 4  # float32: what a CPU computes in.
# So many that what the scheduler learns of costs while it serves counts, too:
# each repeat has a scheduler of its own, which knows what was measured alone.
OUTPUT_TOKENS = 48
# Room that no policy wants for.
SPARE_BLOCKS = 8


@dataclasses.dataclass(frozen=True)
class Setting:
    context: int
    batch: int
    hidden_over_beta: float  # How slow the link is; regimes.py.
    resident_share: float  # Of the layers' weights, in device memory.

    @property
    def name(self) -> str:
        return (
            f"{self.batch} x {self.context} tokens, h/beta "
            f"{self.hidden_over_beta}, {self.resident_share:.0%} resident"
        )


def grid() -> List[Setting]:
    return [
        Setting(context, batch, slowness, resident)
        for context in (96, 256, 512)
        for batch in (2, 6)
        for slowness in (0.655, 1.475)
        for resident in (0.0, 0.5)
    ]


def model_config() -> dict:
    return regimes.model_config(HIDDEN, LAYERS, MAX_POSITIONS)


def link_bytes_per_s(setting: Setting, flops_per_s: float) -> float:
    """Of a link that much slower than this machine's rebuilding."""
    regime = regimes.Regime(
        "", round(setting.hidden_over_beta * regimes.PAPER_BETA)
    )
    stand = regimes.scale(regime, HIDDEN, flops_per_s, ELEMENT_BYTES)
    return stand.link_bytes_per_s


def layer_bytes() -> int:
    """Weights of all layers: attention 4 h^2 and feed-forward 8 h^2 each."""
    return LAYERS * 12 * HIDDEN * HIDDEN * ELEMENT_BYTES


def host_bytes(setting: Setting) -> int:
    """Holds the batch as keys and values to its end, and SPARE_BLOCKS each."""
    blocks = -(-(setting.context + OUTPUT_TOKENS) // 16) + SPARE_BLOCKS
    tokens = max(setting.batch * blocks * 16, MAX_POSITIONS)
    return tokens * 2 * HIDDEN * ELEMENT_BYTES * LAYERS
