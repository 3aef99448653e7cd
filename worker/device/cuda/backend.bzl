"""cuda_backend_library: host code of the cuda backend, in two builds."""

load("@local_config_cuda//:defs.bzl", "if_cuda")
load("@rules_cc//cc:defs.bzl", "cc_library")

def cuda_backend_library(name, srcs, hdrs, deps = [], cuda_deps = [], **kwargs):
    """Libraries NAME, with CUDA's runtime, and NAME_emulated, for tests.

    Where no CUDA toolkit is installed NAME is empty; see if_cuda().

    Args:
      name: name of the library.
      srcs: .cc files.
      hdrs: headers that name no CUDA type.
      deps: as in cc_library.
      cuda_deps: libraries that come in two builds as well.
      **kwargs: passed on to both.
    """
    cc_library(
        name = name,
        srcs = if_cuda(srcs),
        hdrs = hdrs,
        deps = deps + cuda_deps + ["@local_config_cuda//:cudart"],
        **kwargs
    )
    cc_library(
        name = name + "_emulated",
        testonly = True,
        srcs = srcs,
        hdrs = hdrs,
        tags = ["no_sanitizer"],
        deps = deps + [dep + "_emulated" for dep in cuda_deps] +
               ["//tests/emulation:cuda_runtime"],
        **kwargs
    )
