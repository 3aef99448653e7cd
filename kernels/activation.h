#ifndef HYBRIDSERVE_KERNELS_ACTIVATION_H_
#define HYBRIDSERVE_KERNELS_ACTIVATION_H_

namespace hybridserve {

// What a linear layer applies to its result. kGelu: exact, by erf
// (arXiv:1606.08415). kSilu: x / (1 + e^-x) (arXiv:1702.03118).
enum class Activation { kNone, kRelu, kGelu, kSilu };

}  // namespace hybridserve

#endif  // HYBRIDSERVE_KERNELS_ACTIVATION_H_
