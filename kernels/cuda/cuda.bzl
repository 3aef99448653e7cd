"""Rules of kernels: each is compiled by nvcc and, for tests, for the emulation."""

load("@rules_cc//cc:defs.bzl", "cc_test")
load("//tests/emulation:emulation.bzl", "emulated_cuda_library")
load("//third_party/cuda:cuda.bzl", "cuda_library")

_HEADERS = [
    "//kernels/cuda:element",
    "//kernels/cuda:launch",
    "//kernels/cuda:shapes",
    "//kernels/cuda:log_prob_fold",
    "//kernels/cuda:status",
    "//kernels/cuda:warp",
]

def cuda_kernel_library(name, srcs, hdrs, deps = []):
    """Libraries NAME, for devices, and NAME_emulated, for tests.

    Args:
      name: name of the library.
      srcs: .cu files.
      hdrs: headers that hosts include: they name no CUDA type.
      deps: what the headers and sources include besides kernels/cuda.
    """
    cuda_library(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        deps = deps + _HEADERS,
    )
    emulated_cuda_library(
        name = name + "_emulated",
        srcs = srcs,
        hdrs = hdrs,
        deps = deps + _HEADERS,
    )
