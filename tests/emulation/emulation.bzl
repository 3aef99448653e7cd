"""emulated_cuda_library: CUDA sources compiled as C++ for the emulation."""

load("@rules_cc//cc:defs.bzl", "cc_library")

def emulated_cuda_library(name, srcs, hdrs = [], deps = [], copts = [], **kwargs):
    """A library of the very .cu files that nvcc compiles, for tests without a GPU.

    Args:
      name: name of the library.
      srcs: .cu files; kernels are launched by Launch (kernels/cuda/launch.h).
      hdrs: headers, as in cc_library.
      deps: as in cc_library; CUDA libraries among them are emulated ones.
      copts: added to the compiler's command line.
      **kwargs: passed on to cc_library.
    """
    sources = []
    for src in srcs:
        source = "%s.%s.cc" % (name, src)
        native.genrule(
            name = source + "_copy",
            srcs = [src],
            outs = [source],
            cmd = "cp $< $@",
            visibility = ["//visibility:private"],
        )
        sources.append(source)
    cc_library(
        name = name,
        testonly = True,
        srcs = sources,
        hdrs = hdrs,
        # The compiler announces each access of memory to access_hooks.cc; the
        # sanitizer's own runtime is not linked.
        copts = [
            "-fsanitize=thread",
            "-Wno-unknown-pragmas",
        ] + copts,
        local_defines = ["HYBRIDSERVE_EMULATED_CUDA=1"],
        tags = ["no_sanitizer"],
        deps = deps + ["//tests/emulation:cuda_runtime"],
        **kwargs
    )
