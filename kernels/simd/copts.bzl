"""How files with Highway kernels are compiled."""

# Optimised in every configuration: at -O1 vectors live in memory. Nothing is
# contracted: a multiply and an add that GCC fuses on one target only would
# break the contract of kernels/ops.h. SSE targets are left out: they would
# add compile time for machines on which nobody serves; the scalar target
# covers those.
SIMD_COPTS = [
    "-O3",
    "-ffp-contract=off",
    "-DHWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4)",
]
