#ifndef HYBRIDSERVE_WORKER_DEVICE_CUDA_OFFER_CUDA_H_
#define HYBRIDSERVE_WORKER_DEVICE_CUDA_OFFER_CUDA_H_

namespace hybridserve {

// Makes this program's GPUs known to CreateDevice(): first thing in main().
// Which they are is the linked library's business: those of the driver
// (:offer_cuda; none in a build without the toolkit), or the emulated one
// (:offer_cuda_emulated).
void OfferCuda();

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_DEVICE_CUDA_OFFER_CUDA_H_
