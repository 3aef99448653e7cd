"""A repository whose targets are libraries installed on the machine.

Headers come from the compiler's own system include path, so no target lists
them and warnings inside them are silent. Libraries are linked by name.
"""

# Bazel's default toolchain asks for the opposite.
_AS_NEEDED = ["-Wl,--as-needed"]

def _library(name, libs, deps, defines):
    return """
cc_library(
    name = "{name}",
    defines = {defines},
    linkopts = {linkopts},
    deps = {deps},
)
""".format(
        name = name,
        linkopts = repr(_AS_NEEDED + ["-l" + lib for lib in libs] if libs else []),
        deps = repr(deps),
        defines = repr(defines),
    )

def _alias(name, actual):
    return """
alias(
    name = "{name}",
    actual = "{actual}",
)
""".format(name = name, actual = actual)

def _system_repository_impl(repository_ctx):
    build_files = {"": ""}
    for name, libs in repository_ctx.attr.libraries.items():
        deps = repository_ctx.attr.library_deps.get(name, [])
        defines = repository_ctx.attr.library_defines.get(name, [])
        build_files[""] += _library(name, libs, deps, defines)
    for label, actual in repository_ctx.attr.aliases.items():
        package, name = label.lstrip("/").split(":")
        build_files[package] = build_files.get(package, "") + _alias(name, actual)
    for package, content in build_files.items():
        path = package + "/BUILD.bazel" if package else "BUILD.bazel"
        repository_ctx.file(
            path,
            "package(default_visibility = [\"//visibility:public\"])\n" + content,
        )

# libraries: name of a target at the root -> what it links, without "-l".
# library_deps: name of such a target -> labels it depends on.
# library_defines: name of such a target -> macros that it was compiled with and
#   that its headers ask for.
# aliases: "//package:name" -> the label it stands for.
system_repository = repository_rule(
    implementation = _system_repository_impl,
    attrs = {
        "aliases": attr.string_dict(),
        "libraries": attr.string_list_dict(mandatory = True),
        "library_defines": attr.string_list_dict(),
        "library_deps": attr.string_list_dict(),
    },
)
