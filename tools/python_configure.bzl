"""Where Python tests find their interpreter."""

def _python_configure_impl(repository_ctx):
    root = repository_ctx.path(Label("//:WORKSPACE")).dirname
    repository_ctx.file("BUILD.bazel", "")
    repository_ctx.file(
        "defs.bzl",
        "VENV_PYTHON = %s\n" % repr(str(root) + "/.venv/bin/python"),
    )

# Writes @local_config_python//:defs.bzl with VENV_PYTHON: the interpreter that
# tools/setup.sh makes in this working tree, there or not.
python_configure = repository_rule(
    implementation = _python_configure_impl,
    configure = True,
    local = True,
)
