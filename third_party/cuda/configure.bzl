"""Finds the CUDA toolkit: $CUDA_HOME, else /usr/local/cuda.

Writes @local_config_cuda//:defs.bzl with CUDA_HOME (empty when there is no
nvcc) and if_cuda(). Programs link the static CUDA runtime and need no toolkit
where they run.
"""

_DEFS = """# How the machine that builds is set up for CUDA.
CUDA_HOME = "{home}"

def if_cuda(if_true, if_false = []):
    return {value}
"""

def _cuda_configure_impl(repository_ctx):
    home = repository_ctx.os.environ.get("CUDA_HOME") or "/usr/local/cuda"
    if not repository_ctx.path(home + "/bin/nvcc").exists:
        home = ""
    if home:
        repository_ctx.symlink(home + "/include", "include")
    repository_ctx.file("BUILD.bazel", """
package(default_visibility = ["//visibility:public"])

cc_library(
    name = "cudart",
    hdrs = glob(["include/*.h", "include/*.hpp", "include/crt/*"]),
    includes = ["include"],
    linkopts = {linkopts},
)
""".format(linkopts = repr([
        "-L%s/lib64" % home,
        "-lcudart_static",
        "-ldl",
        "-lpthread",
        "-lrt",
    ] if home else [])))
    repository_ctx.file("defs.bzl", _DEFS.format(
        home = home,
        value = "if_true" if home else "if_false",
    ))

cuda_configure = repository_rule(
    implementation = _cuda_configure_impl,
    configure = True,
    environ = ["CUDA_HOME"],
    local = True,
)
