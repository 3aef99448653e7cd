"""clang-tidy over the sources of C++ targets, one cached action a file.

    bazel build --aspects=//tools:lint.bzl%clang_tidy --output_groups=tidy //x
"""

def _flags(ctx, target):
    context = target[CcInfo].compilation_context
    flags = ["-std=c++20", "-iquote", "."]
    for path in context.quote_includes.to_list():
        flags += ["-iquote", path]
    for path in context.includes.to_list():
        flags += ["-I", path]
    for path in context.system_includes.to_list():
        flags += ["-isystem", path]
    defines = context.defines.to_list() + context.local_defines.to_list()
    return flags + ["-D" + define for define in defines]

def _check(ctx, target, source, flags):
    report = ctx.actions.declare_file(
        "%s.%s.clang_tidy" % (ctx.label.name, source.basename),
    )
    ctx.actions.run_shell(
        outputs = [report],
        inputs = depset(
            [source, ctx.file._config],
            transitive = [target[CcInfo].compilation_context.headers],
        ),
        command = """
            source="$1"; report="$2"; config="$3"; shift 3
            if ! clang-tidy --quiet --config-file="$config" "$source" \
                -- "$@" > "$report" 2>&1; then
              grep -vE "warnings? generated|^Suppressed" "$report"
              exit 1
            fi
        """,
        arguments = [source.path, report.path, ctx.file._config.path] + flags,
        mnemonic = "ClangTidy",
        progress_message = "Running clang-tidy on %s" % source.short_path,
        use_default_shell_env = True,
    )
    return report

def _clang_tidy_impl(target, ctx):
    if ctx.label.workspace_name or CcInfo not in target:
        return []
    if not ctx.rule.kind.startswith("cc_"):
        return []
    flags = _flags(ctx, target)
    reports = []
    for attribute in getattr(ctx.rule.attr, "srcs", []):
        for source in attribute.files.to_list():
            if source.is_source and source.extension == "cc":
                reports.append(_check(ctx, target, source, flags))
    return [OutputGroupInfo(tidy = depset(reports))]

clang_tidy = aspect(
    implementation = _clang_tidy_impl,
    attrs = {
        "_config": attr.label(
            allow_single_file = True,
            default = Label("//:.clang-tidy"),
        ),
    },
)
