#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/generation_config.h"
#include "common/model_config_json.h"

// Whatever the bytes are, parsing ends without a crash; what is accepted has
// sizes whose products do not overflow (ubsan).
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = hybridserve::ParseModelConfig(text);
  if (config.ok()) {
    volatile const int64_t parameters =
        config->num_layers * config->LayerParameters() +
        config->EmbeddingParameters();
    static_cast<void>(parameters);
  }
  static_cast<void>(hybridserve::ParseGenerationConfig(text));
  return 0;
}
