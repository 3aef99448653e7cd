#include <algorithm>
#include <cmath>

#include "kernels/reference_ops.h"

namespace hybridserve {

Matrix AttentionReference(const AttentionReferenceArgs& args) {
  const int64_t head_dim = args.q.cols / args.num_heads;
  const int64_t cached = args.k.rows - args.q.rows;
  Matrix out(args.q.rows, args.q.cols);
  for (int64_t row = 0; row < args.q.rows; ++row) {
    for (int64_t head = 0; head < args.num_heads; ++head) {
      const int64_t q_from = head * head_dim;
      const int64_t kv_from =
          head / (args.num_heads / args.num_kv_heads) * head_dim;
      std::vector<double> scores;
      for (int64_t p = 0; p <= cached + row; ++p) {
        double score = 0;
        for (int64_t d = 0; d < head_dim; ++d) {
          score += args.q(row, q_from + d) * args.k(p, kv_from + d);
        }
        scores.push_back(score * args.scale);
      }
      const double max = *std::max_element(scores.begin(), scores.end());
      double sum = 0;
      for (double& score : scores) sum += score = std::exp(score - max);
      for (int64_t d = 0; d < head_dim; ++d) {
        for (int64_t p = 0; p <= cached + row; ++p) {
          out(row, q_from + d) += scores[p] / sum * args.v(p, kv_from + d);
        }
      }
    }
  }
  return out;
}

}  // namespace hybridserve
