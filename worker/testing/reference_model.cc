#include "worker/testing/reference_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "glog/logging.h"

namespace hybridserve {
namespace {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

const std::vector<float>* FindVector(const TestModel& model, int64_t layer,
                                     LayerVector which) {
  const auto it = model.vectors.find({layer, which});
  return it == model.vectors.end() ? nullptr : &it->second;
}

Row Apply(const std::vector<float>& matrix, const std::vector<float>* bias,
          const Row& x) {
  const size_t k = x.size();
  Row y(matrix.size() / k);
  for (size_t n = 0; n < y.size(); ++n) {
    double sum = bias == nullptr ? 0 : (*bias)[n];
    for (size_t i = 0; i < k; ++i) sum += double{matrix[n * k + i]} * x[i];
    y[n] = sum;
  }
  return y;
}

Row Norm(const ModelConfig& config, const Row& x,
         const std::vector<float>* gain, const std::vector<float>* bias) {
  double mean = 0;
  if (config.centers_norm) {
    for (const double value : x) mean += value;
    mean /= static_cast<double>(x.size());
  }
  double variance = 0;
  for (const double value : x) variance += (value - mean) * (value - mean);
  variance /= static_cast<double>(x.size());
  const double scale = 1 / std::sqrt(variance + config.norm_epsilon);
  Row y(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    y[i] = (x[i] - mean) * scale * (gain == nullptr ? 1 : (*gain)[i]) +
           (bias == nullptr ? 0 : (*bias)[i]);
  }
  return y;
}

void Add(const Row& x, Row& sum) {
  for (size_t i = 0; i < x.size(); ++i) sum[i] += x[i];
}

double Activate(ActivationFunction function, double x) {
  switch (function) {
    case ActivationFunction::kRelu:
      return std::max(x, 0.0);
    case ActivationFunction::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case ActivationFunction::kSilu:
      return x / (1 + std::exp(-x));
  }
  LOG(FATAL) << "no such function";
}

// Turns the heads of a query or a key by its position.
void Rotate(const ModelConfig& config, size_t position, Row& x) {
  const size_t half = config.rotary_frequencies.size();
  for (size_t head = 0; half > 0 && head < x.size(); head += 2 * half) {
    for (size_t i = head; i < head + half; ++i) {
      const double angle =
          static_cast<double>(position) * config.rotary_frequencies[i - head];
      const double first = x[i];
      const double second = x[i + half];
      x[i] = first * std::cos(angle) - second * std::sin(angle);
      x[i + half] = second * std::cos(angle) + first * std::sin(angle);
    }
  }
}

// Attention of position `p` over positions 0..p.
Row Attend(const ModelConfig& config, const Row& q, const Rows& k,
           const Rows& v, size_t p) {
  const size_t d = config.head_dim;
  const int64_t group = config.num_heads / config.num_kv_heads;
  Row out(q.size());
  for (int64_t head = 0; head < config.num_heads; ++head) {
    const size_t kv = head / group * d;
    Row weight(p + 1);
    double max = -std::numeric_limits<double>::infinity();
    for (size_t i = 0; i <= p; ++i) {
      for (size_t c = 0; c < d; ++c) {
        weight[i] += q[head * d + c] * k[i][kv + c];
      }
      weight[i] /= std::sqrt(static_cast<double>(d));
      max = std::max(max, weight[i]);
    }
    double sum = 0;
    for (double& w : weight) sum += w = std::exp(w - max);
    for (size_t i = 0; i <= p; ++i) {
      for (size_t c = 0; c < d; ++c) {
        out[head * d + c] += weight[i] / sum * v[i][kv + c];
      }
    }
  }
  return out;
}

void RunLayer(const TestModel& model, int64_t layer, Rows& hidden) {
  const ModelConfig& config = model.config;
  const auto matrix = [&](LinearWeight which) -> const std::vector<float>& {
    return model.matrices.at({layer, which});
  };
  const auto vector = [&](LayerVector which) {
    return FindVector(model, layer, which);
  };
  const auto attention_norm = [&](const Row& x) {
    return Norm(config, x, vector(LayerVector::kAttentionNormGain),
                vector(LayerVector::kAttentionNormBias));
  };
  const auto ffn_norm = [&](const Row& x) {
    return Norm(config, x, vector(LayerVector::kFfnNormGain),
                vector(LayerVector::kFfnNormBias));
  };
  Rows q;
  Rows k;
  Rows v;
  for (const Row& x : hidden) {
    const Row in = config.pre_norm ? attention_norm(x) : x;
    q.push_back(Apply(matrix(LinearWeight::kQuery),
                      vector(LayerVector::kQueryBias), in));
    k.push_back(
        Apply(matrix(LinearWeight::kKey), vector(LayerVector::kKeyBias), in));
    v.push_back(Apply(matrix(LinearWeight::kValue),
                      vector(LayerVector::kValueBias), in));
    Rotate(config, q.size() - 1, q.back());
    Rotate(config, k.size() - 1, k.back());
  }
  for (size_t p = 0; p < hidden.size(); ++p) {
    Row& x = hidden[p];
    Add(Apply(matrix(LinearWeight::kOutput), vector(LayerVector::kOutputBias),
              Attend(config, q[p], k, v, p)),
        x);
    if (!config.pre_norm) x = attention_norm(x);
    const Row ffn_in = config.pre_norm ? ffn_norm(x) : x;
    Row ffn = config.has_gate ? Apply(matrix(LinearWeight::kGate),
                                      vector(LayerVector::kGateBias), ffn_in)
                              : Apply(matrix(LinearWeight::kFc1),
                                      vector(LayerVector::kFc1Bias), ffn_in);
    for (double& value : ffn) value = Activate(config.activation, value);
    if (config.has_gate) {
      const Row up = Apply(matrix(LinearWeight::kFc1),
                           vector(LayerVector::kFc1Bias), ffn_in);
      for (size_t i = 0; i < ffn.size(); ++i) ffn[i] *= up[i];
    }
    Add(Apply(matrix(LinearWeight::kFc2), vector(LayerVector::kFc2Bias), ffn),
        x);
    if (!config.pre_norm) x = ffn_norm(x);
  }
}

}  // namespace

std::vector<std::vector<double>> ReferenceLogits(
    const TestModel& model, absl::Span<const int32_t> tokens) {
  const ModelConfig& config = model.config;
  const bool projects = config.word_embed_dim != config.hidden;
  Rows hidden;
  for (size_t p = 0; p < tokens.size(); ++p) {
    const auto row_of = [](const std::vector<float>& table, int64_t row,
                           int64_t width) {
      return Row(table.begin() + row * width,
                 table.begin() + (row + 1) * width);
    };
    Row x = row_of(model.token_table, tokens[p], config.word_embed_dim);
    if (projects) {
      x = Apply(model.matrices.at({-1, LinearWeight::kProjectIn}), nullptr, x);
    }
    if (!config.has_rotary()) {
      Add(row_of(model.position_table,
                 static_cast<int64_t>(p) + config.position_offset,
                 config.hidden),
          x);
    }
    hidden.push_back(std::move(x));
  }
  for (int64_t layer = 0; layer < config.num_layers; ++layer) {
    RunLayer(model, layer, hidden);
  }
  Rows logits;
  for (Row& x : hidden) {
    if (config.has_final_norm) {
      const auto found = [](const std::vector<float>& vector) {
        return vector.empty() ? nullptr : &vector;
      };
      x = Norm(config, x, found(model.final_norm_gain),
               found(model.final_norm_bias));
    }
    if (projects) {
      x = Apply(model.matrices.at({-1, LinearWeight::kProjectOut}), nullptr, x);
    }
    logits.push_back(
        Apply(model.matrices.at({-1, LinearWeight::kHead}), nullptr, x));
  }
  return logits;
}

std::vector<int32_t> ReferenceGreedy(const TestModel& model,
                                     std::vector<int32_t> prompt, int count) {
  std::vector<int32_t> produced;
  for (int i = 0; i < count; ++i) {
    const std::vector<double> logits = ReferenceLogits(model, prompt).back();
    const auto best = std::max_element(logits.begin(), logits.end());
    produced.push_back(static_cast<int32_t>(best - logits.begin()));
    prompt.push_back(produced.back());
  }
  return produced;
}

double ReferenceLogProb(absl::Span<const double> logits, int32_t token) {
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - max);
  return logits[token] - max - std::log(sum);
}

}  // namespace hybridserve
