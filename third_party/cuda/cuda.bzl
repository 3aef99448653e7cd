"""cuda_library: a cc_library whose sources are .cu files.

Where no CUDA toolkit is installed the library is empty, and the reason is
printed once; use if_cuda() to choose what links it.
"""

load("@local_config_cuda//:defs.bzl", "CUDA_HOME")
load("@rules_cc//cc:defs.bzl", "cc_library")

# Ampere, Ada, Hopper and Blackwell as machine code; PTX of the last for what
# follows.
_ARCHITECTURES = ["80", "86", "89", "90", "100", "120"]

def _architecture_flags():
    flags = [
        "-gencode=arch=compute_%s,code=sm_%s" % (arch, arch)
        for arch in _ARCHITECTURES
    ]
    last = _ARCHITECTURES[-1]
    return flags + ["-gencode=arch=compute_%s,code=compute_%s" % (last, last)]

def _cuda_objects_impl(ctx):
    context = cc_common.merge_cc_infos(
        cc_infos = [dep[CcInfo] for dep in ctx.attr.deps],
    ).compilation_context
    includes = (
        ["-I" + path for path in context.quote_includes.to_list()] +
        ["-I" + path for path in context.includes.to_list()] +
        ["-isystem=" + path for path in context.system_includes.to_list()]
    )
    objects = []
    for source in ctx.files.srcs:
        output = ctx.actions.declare_file(
            "%s.%s.pic.o" % (ctx.label.name, source.basename),
        )
        arguments = ctx.actions.args()
        arguments.add_all([
            "-c",
            "-std=c++20",
            "-O3",
            "-Xcompiler=-fPIC,-Wall,-Wextra",
            "-Werror=all-warnings",
            # False on every assignment to an absl::Status.
            "-diag-suppress=2810",
            "--threads=0",
            "-ccbin=g++",
        ])
        arguments.add_all(_architecture_flags())
        arguments.add("-I.")
        arguments.add_all(includes)
        arguments.add_all(ctx.attr.copts)
        arguments.add_all([source.path, "-o", output.path])
        ctx.actions.run(
            outputs = [output],
            inputs = depset(
                ctx.files.srcs + ctx.files.hdrs,
                transitive = [context.headers],
            ),
            executable = CUDA_HOME + "/bin/nvcc",
            arguments = [arguments],
            env = {"PATH": CUDA_HOME + "/bin:/usr/bin:/bin"},
            mnemonic = "CudaCompile",
            progress_message = "Compiling %s with nvcc" % source.short_path,
        )
        objects.append(output)
    return [DefaultInfo(files = depset(objects))]

_cuda_objects = rule(
    implementation = _cuda_objects_impl,
    attrs = {
        "copts": attr.string_list(),
        "deps": attr.label_list(providers = [CcInfo]),
        "hdrs": attr.label_list(allow_files = [".h", ".cuh"]),
        "srcs": attr.label_list(allow_files = [".cu"], mandatory = True),
    },
)

def cuda_library(name, srcs, hdrs = [], deps = [], copts = [], **kwargs):
    """A library of CUDA sources.

    Args:
      name: name of the library.
      srcs: .cu files, compiled by nvcc as C++20 for several architectures.
      hdrs: headers, as in cc_library; hosts include them, so they name no
        CUDA type.
      deps: as in cc_library; their headers can be included by srcs.
      copts: added to nvcc's command line.
      **kwargs: passed on to cc_library.
    """
    if not CUDA_HOME:
        # buildifier: disable=print
        print("//%s:%s is empty: no nvcc in $CUDA_HOME or /usr/local/cuda" %
              (native.package_name(), name))
        cc_library(name = name, hdrs = hdrs, deps = deps, **kwargs)
        return
    _cuda_objects(
        name = name + "_objects",
        srcs = srcs,
        hdrs = hdrs,
        copts = copts,
        tags = ["manual"],
        visibility = ["//visibility:private"],
        deps = deps,
    )
    cc_library(
        name = name,
        srcs = [":" + name + "_objects"],
        hdrs = hdrs,
        # The static runtime hides its symbols: they can't serve a shared
        # library from the program that loads it.
        linkstatic = True,
        deps = deps + ["@local_config_cuda//:cudart"],
        **kwargs
    )
