"""venv_py_test: a Python test run by the interpreter of tools/setup.sh.

Bazel's own py_test wants a toolchain that would be downloaded.
"""

load("@local_config_python//:defs.bzl", "VENV_PYTHON")

def venv_py_test(name, srcs, main = None, args = [], data = [], env = {}, **kwargs):
    """Runs a script; it passes if the script exits 0.

    The working directory and PYTHONPATH are the root of the repository, so
    that `from tests.e2e import thing` and paths of data read as they do
    outside. $HYBRIDSERVE_PYTHON, if set, names another interpreter. A script
    that imports torch must not import grpc_tools (see tests/build).

    Args:
      name: name of the test.
      srcs: .py files of this package.
      main: the one to run, if there are several.
      args: passed to the script.
      data: what it reads, and programs it runs.
      env: added to its environment.
      **kwargs: passed on to sh_test, `size` among them.
    """
    if not main and len(srcs) != 1:
        fail("main must name one of srcs")
    script = main or srcs[0]
    native.sh_test(
        name = name,
        srcs = ["//tools:venv_python.sh"],
        args = ["$(rootpath %s)" % script] + args,
        data = srcs + data,
        env = dict(env, HYBRIDSERVE_VENV_PYTHON = VENV_PYTHON),
        **kwargs
    )
