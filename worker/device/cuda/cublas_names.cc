#include "worker/device/cuda/cublas_names.h"

namespace hybridserve {

std::vector<std::string> CublasLibraryNames() {
  return {"libcublas.so.13", "libcublas.so.12", "libcublas.so"};
}

}  // namespace hybridserve
