"""Declares every external repository: see WORKSPACE."""

load("//third_party:absl.bzl", "absl_repository")
load("//third_party:system_repository.bzl", "system_repository")
load("//third_party/cuda:configure.bzl", "cuda_configure")

_GRPC = ["grpc++", "grpc", "gpr"]
_GTEST = ["gmock", "gtest"]
_ICU = ["icui18n", "icuuc", "icudata"]

def _rules():
    """What Bazel itself asks for."""
    native.local_repository(
        name = "rules_cc",
        path = "third_party/rules_cc",
    )

    # Bazel's own toolchain definitions load them. Debian's package has them.
    native.local_repository(
        name = "rules_java",
        path = "/usr/share/bazel/rules/java",
    )
    native.local_repository(
        name = "remote_coverage_tools",
        path = "third_party/remote_coverage_tools",
    )

def _rpc():
    system_repository(
        name = "com_google_protobuf",
        libraries = {
            "protobuf": ["protobuf", "pthread"],
            "protobuf_lite": ["protobuf-lite", "pthread"],
        },
    )
    system_repository(
        name = "com_github_grpc_grpc",
        libraries = {
            "grpc++": _GRPC,
            "grpc++_error_details": ["grpc++_error_details"],
            # Callers name InitProtoReflectionServerBuilderPlugin(), or the
            # linker drops it.
            "grpc++_reflection": ["grpc++_reflection"],
            "grpcpp_channelz": ["grpcpp_channelz"],
        },
        library_deps = {
            "grpc++": [
                "@com_google_absl//:absl",
                "@com_google_protobuf//:protobuf",
            ],
            "grpc++_error_details": [":grpc++"],
            "grpc++_reflection": [":grpc++"],
            "grpcpp_channelz": [":grpc++"],
        },
    )

def _base():
    absl_repository(name = "com_google_absl")
    system_repository(
        name = "com_github_google_glog",
        libraries = {"glog": ["glog"]},
    )
    system_repository(
        name = "com_github_nlohmann_json",
        aliases = {"//:singleheader-json": ":json"},
        libraries = {"json": []},
    )
    system_repository(
        name = "com_github_jupp0r_prometheus_cpp",
        aliases = {
            "//core:core": "//:core",
            "//pull:pull": "//:exposer",
        },
        libraries = {
            "core": ["prometheus-cpp-core"],
            "exposer": ["prometheus-cpp-pull"],
        },
        library_deps = {"exposer": [":core"]},
    )
    system_repository(
        name = "boringssl",
        libraries = {
            "crypto": ["crypto"],
            "ssl": ["ssl"],
        },
        library_deps = {"ssl": [":crypto"]},
    )

def _http():
    system_repository(
        name = "com_github_yhirose_cpp_httplib",
        # As Debian compiles it: the layout of its types depends on them.
        library_defines = {"httplib": [
            "CPPHTTPLIB_BROTLI_SUPPORT",
            "CPPHTTPLIB_OPENSSL_SUPPORT",
            "CPPHTTPLIB_ZLIB_SUPPORT",
        ]},
        libraries = {"httplib": ["cpp-httplib"]},
        library_deps = {"httplib": ["@boringssl//:ssl"]},
    )
    system_repository(
        name = "com_github_olafvdspek_ctemplate",
        libraries = {"ctemplate": ["ctemplate"]},
    )

def _compute():
    system_repository(
        name = "com_github_onednn",
        libraries = {"dnnl": ["dnnl"]},
    )
    system_repository(
        name = "com_github_google_highway",
        libraries = {"hwy": ["hwy"]},
    )
    cuda_configure(name = "local_config_cuda")

def _text():
    system_repository(
        name = "org_unicode_icu",
        aliases = {
            "//:common": ":icu",
            "//:i18n": ":icu",
        },
        libraries = {"icu": _ICU},
    )
    system_repository(
        name = "com_github_pcre2project_pcre2",
        libraries = {"pcre2-8": ["pcre2-8"]},
    )

def _test():
    system_repository(
        name = "com_google_googletest",
        libraries = {
            "gtest": _GTEST + ["pthread"],
            "gtest_main": ["gmock_main"],
        },
        library_deps = {"gtest_main": [":gtest"]},
    )
    system_repository(
        name = "com_github_google_benchmark",
        libraries = {
            "benchmark": ["benchmark"],
            "benchmark_main": ["benchmark_main"],
        },
        library_deps = {"benchmark_main": [":benchmark"]},
    )
    system_repository(
        name = "com_google_rapidcheck",
        libraries = {"rapidcheck": ["rapidcheck"]},
    )
    system_repository(
        name = "boost",
        libraries = {"context": ["boost_context"]},
    )

def hybridserve_repositories():
    _rules()
    _rpc()
    _base()
    _http()
    _compute()
    _text()
    _test()
