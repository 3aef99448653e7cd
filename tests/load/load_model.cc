#include "tests/load/load_model.h"

#include "nlohmann/json.hpp"
#include "scheduler/testing/scripted_worker.h"

namespace hybridserve {

ModelFiles LoadModelFiles() {
  ModelFiles files = ByteModelFiles();
  nlohmann::json config = nlohmann::json::parse(files.config_json);
  config["max_position_embeddings"] = kLoadMaxPositions;
  files.config_json = config.dump();
  return files;
}

TokenChain ChainOfPrompt(absl::string_view prompt) {
  TokenChain chain;
  chain.Append(kByteModelEos);  // Which is bos, too.
  for (const char byte : prompt) chain.Append(static_cast<uint8_t>(byte));
  return chain;
}

}  // namespace hybridserve
