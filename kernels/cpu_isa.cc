#include "kernels/cpu_isa.h"

#include "absl/strings/ascii.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu_isa.cc"
#include "hwy/foreach_target.h"  // Must come before highway.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace hybridserve {
namespace HWY_NAMESPACE {

const char* TargetInUse() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace hybridserve
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hybridserve {

HWY_EXPORT(TargetInUse);

std::string CpuIsa() {
  return absl::AsciiStrToLower(HWY_DYNAMIC_DISPATCH(TargetInUse)());
}

}  // namespace hybridserve
#endif  // HWY_ONCE
