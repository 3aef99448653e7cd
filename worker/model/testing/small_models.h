#ifndef HYBRIDSERVE_WORKER_MODEL_TESTING_SMALL_MODELS_H_
#define HYBRIDSERVE_WORKER_MODEL_TESTING_SMALL_MODELS_H_

#include <string>
#include <vector>

#include "common/model_config.h"

namespace hybridserve {

// A consistent config of a small OPT model, pre-norm and with everything.
ModelConfig SmallConfig();

// An OPT model's sizes as one built like Llama: root mean square norms, rotary
// positions, a gate, silu, no biases, a head of its own.
ModelConfig AsLlama(ModelConfig config);

struct NamedConfig {
  std::string name;
  ModelConfig config;
};

// Every variant of OPT, each unlike SmallConfig in one way or in size, and some
// of Llama.
std::vector<NamedConfig> SmallConfigs();

// config.json's text for `config`.
std::string ConfigJson(const ModelConfig& config);

}  // namespace hybridserve

#endif  // HYBRIDSERVE_WORKER_MODEL_TESTING_SMALL_MODELS_H_
