"""cc_fuzz_target: a libFuzzer program, built by --config=fuzz only."""

load("@rules_cc//cc:defs.bzl", "cc_binary")

def cc_fuzz_target(name, srcs, deps, **kwargs):
    """A program around LLVMFuzzerTestOneInput().

    `tools/test.sh --long` runs it for a minute, from the inputs in
    testdata/<name>/ if there are any.

    Args:
      name: name of the program.
      srcs: sources; one defines LLVMFuzzerTestOneInput().
      deps: as in cc_binary.
      **kwargs: passed on to cc_binary.
    """
    cc_binary(
        name = name,
        testonly = True,
        srcs = srcs,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["fuzz", "manual"],
        deps = deps,
        **kwargs
    )
