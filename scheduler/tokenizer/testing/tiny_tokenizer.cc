#include "scheduler/tokenizer/testing/tiny_tokenizer.h"

#include <string>

#include "nlohmann/json.hpp"
#include "scheduler/tokenizer/byte_level.h"

namespace hybridserve {
namespace {

using Json = nlohmann::json;

Json AddedTokenJson(int32_t id, const std::string& content, bool special) {
  return Json{{"id", id},           {"content", content},
              {"special", special}, {"lstrip", false},
              {"rstrip", false},    {"single_word", false},
              {"normalized", false}};
}

Json ModelJson() {
  Json vocab = Json::object();
  for (int byte = 0; byte < 256; ++byte) {
    const std::string character(ByteLevelChar(static_cast<uint8_t>(byte)));
    vocab[character] = byte;
  }
  vocab["th"] = kTinyTh;
  vocab["the"] = kTinyThe;
  return Json{{"type", "BPE"},
              {"vocab", vocab},
              {"merges", Json::array({"t h", "th e"})}};
}

}  // namespace

TokenizerFiles TinyTokenizerFiles() {
  const Json bos = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const Json bos_entry = {
      {"id", "<s>"}, {"ids", {kTinyBos}}, {"tokens", {"<s>"}}};
  const Json tokenizer = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens",
       {AddedTokenJson(kTinyBos, "<s>", true),
        AddedTokenJson(kTinyEos, "</s>", true),
        AddedTokenJson(kTinyTag, "<tag>", false)}},
      {"normalizer", nullptr},
      {"pre_tokenizer",
       {{"type", "ByteLevel"},
        {"add_prefix_space", false},
        {"trim_offsets", true},
        {"use_regex", true}}},
      {"post_processor",
       {{"type", "TemplateProcessing"},
        {"single", Json::array({bos, text})},
        {"pair", Json::array()},
        {"special_tokens", {{"<s>", bos_entry}}}}},
      {"decoder", {{"type", "ByteLevel"}}},
      {"model", ModelJson()},
  };
  const Json config = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
  return {.tokenizer_json = tokenizer.dump(),
          .tokenizer_config_json = config.dump()};
}

}  // namespace hybridserve
