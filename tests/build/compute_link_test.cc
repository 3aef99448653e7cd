#include <vector>

#include "dnnl.hpp"
#include "gtest/gtest.h"
#include "hwy/targets.h"

namespace hybridserve {
namespace {

TEST(ComputeLinkTest, OneDnnMultipliesMatrices) {
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const dnnl::memory::desc desc({2, 2}, dnnl::memory::data_type::f32,
                                dnnl::memory::format_tag::ab);
  std::vector<float> a = {1, 2, 3, 4};
  std::vector<float> b = {5, 6, 7, 8};
  std::vector<float> c(4);
  dnnl::matmul::primitive_desc primitive(dnnl::matmul::desc(desc, desc, desc),
                                         engine);
  dnnl::matmul(primitive).execute(
      stream, {{DNNL_ARG_SRC, dnnl::memory(desc, engine, a.data())},
               {DNNL_ARG_WEIGHTS, dnnl::memory(desc, engine, b.data())},
               {DNNL_ARG_DST, dnnl::memory(desc, engine, c.data())}});
  stream.wait();
  EXPECT_EQ(c, std::vector<float>({19, 22, 43, 50}));
}

TEST(ComputeLinkTest, HighwayNamesATarget) {
  EXPECT_FALSE(hwy::SupportedAndGeneratedTargets().empty());
}

}  // namespace
}  // namespace hybridserve
