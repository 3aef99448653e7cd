// The suite of engines that all backends pass, on the cpu's.

#include "gtest/gtest.h"
#include "worker/testing/engine_conformance.h"

namespace hybridserve {
namespace {

INSTANTIATE_TEST_SUITE_P(
    Cpu, EngineConformance,
    ::testing::Values(EngineUnderTest{.name = "opt",
                                      .architecture = Architecture::kOpt,
                                      .half_dtypes = {DType::kBFloat16}},
                      EngineUnderTest{.name = "llama",
                                      .architecture = Architecture::kLlama,
                                      .half_dtypes = {DType::kBFloat16}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hybridserve
