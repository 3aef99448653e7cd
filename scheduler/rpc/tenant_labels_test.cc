#include "scheduler/rpc/tenant_labels.h"

#include "gtest/gtest.h"

namespace hybridserve {
namespace {

TEST(TenantLabelsTest, TheFirstKeepTheirNames) {
  TenantLabels labels(2);
  EXPECT_EQ(labels.LabelOf("a"), "a");
  EXPECT_EQ(labels.LabelOf("b"), "b");
  EXPECT_EQ(labels.LabelOf("c"), "other");
  EXPECT_EQ(labels.LabelOf("b"), "b");
  EXPECT_EQ(labels.LabelOf("c"), "other");
}

TEST(TenantLabelsTest, TheCommonTenantIsAlwaysItself) {
  TenantLabels labels(0);
  EXPECT_EQ(labels.LabelOf("a"), "other");
  EXPECT_EQ(labels.LabelOf(""), "");
}

TEST(TenantLabelsTest, WhatIsNotPrintableIsEscaped) {
  TenantLabels labels(2);
  EXPECT_EQ(labels.LabelOf("a\n\xff"), "a\\n\\377");
  EXPECT_EQ(labels.LabelOf("team-1/eu"), "team-1/eu");
}

}  // namespace
}  // namespace hybridserve
