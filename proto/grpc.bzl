"""C++ code from .proto files, by the installed protoc and gRPC plugin."""

load("@rules_cc//cc:defs.bzl", "cc_library")

# Import paths start here: proto/hybridserve/v1/x.proto is imported as
# "hybridserve/v1/x.proto", and its header included as "hybridserve/v1/x.pb.h".
_ROOT = "proto"

def _proto_sources_impl(ctx):
    return [DefaultInfo(files = depset(
        ctx.files.srcs,
        transitive = [dep[DefaultInfo].files for dep in ctx.attr.deps],
    ))]

_proto_sources = rule(
    implementation = _proto_sources_impl,
    attrs = {
        "deps": attr.label_list(),
        "srcs": attr.label_list(allow_files = [".proto"]),
    },
)

def _generated_root_impl(ctx):
    return [CcInfo(compilation_context = cc_common.create_compilation_context(
        system_includes = depset([ctx.genfiles_dir.path + "/" + _ROOT]),
    ))]

# Makes the generated headers system headers, whose warnings are silent.
_generated_root = rule(implementation = _generated_root_impl)

def _sources_label(dep):
    """Label of the .proto files behind the cc_grpc_library `dep`."""
    if dep.startswith("//") and ":" not in dep:
        dep += ":" + dep.split("/")[-1]
    return dep + "_protos"

def cc_grpc_library(name, srcs, deps = [], services = True, **kwargs):
    """A library of messages and, unless told otherwise, service stubs.

    `<name>_protos` is a target of the .proto files and all that they import.

    Args:
      name: name of the library.
      srcs: .proto files of this package, which is below //proto.
      deps: cc_grpc_library targets whose files srcs import.
      services: whether srcs define services: makes x.grpc.pb.h as well.
      **kwargs: passed on to cc_library.
    """
    package = native.package_name()
    if package != _ROOT and not package.startswith(_ROOT + "/"):
        fail("cc_grpc_library belongs below //%s" % _ROOT)
    visibility = kwargs.get("visibility")
    _proto_sources(
        name = name + "_protos",
        srcs = srcs,
        visibility = visibility,
        deps = [_sources_label(dep) for dep in deps],
    )

    kinds = [".pb"] + ([".grpc.pb"] if services else [])
    stems = [src[:-len(".proto")] for src in srcs]
    headers = [stem + kind + ".h" for kind in kinds for stem in stems]
    sources = [stem + kind + ".cc" for kind in kinds for stem in stems]
    grpc_flags = (
        "--plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin) " +
        "--grpc_out=$(GENDIR)/" + _ROOT
    ) if services else ""
    native.genrule(
        name = name + "_cc_srcs",
        srcs = srcs + [":" + name + "_protos"],
        outs = headers + sources,
        cmd = " ".join(
            [
                "protoc",
                "--experimental_allow_proto3_optional",
                "--proto_path=" + _ROOT,
                "--cpp_out=$(GENDIR)/" + _ROOT,
                grpc_flags,
            ] + ["$(location %s)" % src for src in srcs],
        ),
        message = "Running protoc on",
        visibility = ["//visibility:private"],
    )
    _generated_root(
        name = name + "_root",
        visibility = ["//visibility:private"],
    )
    cc_library(
        name = name,
        srcs = sources,
        hdrs = headers,
        copts = ["-w"],  # Generated code is not ours to warn about.
        deps = deps + [
            ":" + name + "_root",
            "@com_google_protobuf//:protobuf",
        ] + (["@com_github_grpc_grpc//:grpc++"] if services else []),
        **kwargs
    )
