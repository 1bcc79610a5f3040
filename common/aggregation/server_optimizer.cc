// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/server_optimizer.h"

#include <algorithm>
#include <cmath>

namespace hilum {
namespace {

using Rules = v1::ServerOptimizer;

double Power(double base, uint64_t exponent) {
  double power = 1;
  // Stops at 0, which further factors keep.
  for (uint64_t i = 0; i < exponent && power != 0; ++i) power *= base;
  return power;
}

// Returns cos(pi x) for x from 0 to 1, within 1e-15: Taylor's polynomial up to
// (pi x)^24, for x up to 1/2.
double CosPi(double x) {
  if (x > 0.5) return -CosPi(1 - x);
  constexpr double kPi = 3.14159265358979323846;
  const double square = kPi * x * (kPi * x);
  double sum = 1;
  for (int i = 24; i > 0; i -= 2) {
    sum = 1 - square / (i * (i - 1.0)) * sum;
  }
  return sum;
}

double D(uint32_t sum, double scale) {
  return static_cast<double>(static_cast<int32_t>(sum)) * scale;
}

void AddMean(absl::Span<const uint32_t> sums, double scale,
             absl::Span<float> global) {
  for (size_t i = 0; i < sums.size(); ++i) {
    global[i] =
        static_cast<float>(static_cast<double>(global[i]) + D(sums[i], scale));
  }
}

struct SgdStep {
  double momentum, rate, keep;

  void operator()(absl::Span<const uint32_t> sums, double scale,
                  absl::Span<float> state, absl::Span<float> global) const {
    for (size_t i = 0; i < sums.size(); ++i) {
      double m = D(sums[i], scale);
      if (!state.empty()) {
        state[i] = static_cast<float>(momentum * state[i] + m);
        m = state[i];
      }
      global[i] = static_cast<float>(keep * global[i] + rate * m);
    }
  }
};

struct AdaptiveStep {
  Rules::Kind kind;
  double beta1, beta2, unbias1, unbias2, rate, keep, epsilon;

  double NextV(double v, double d) const {
    const double square = d * d;
    switch (kind) {
      case Rules::KIND_ADAGRAD:
        return v + square;
      case Rules::KIND_YOGI: {
        const double change = (1 - beta2) * square;
        return v > square ? v - change : v < square ? v + change : v;
      }
      default:
        return beta2 * v + (1 - beta2) * square;
    }
  }

  void operator()(absl::Span<const uint32_t> sums, double scale,
                  absl::Span<float> state, absl::Span<float> global) const {
    for (size_t i = 0; i < sums.size(); ++i) {
      const double d = D(sums[i], scale);
      float& m = state[2 * i];
      float& v = state[2 * i + 1];
      m = static_cast<float>(beta1 * m + (1 - beta1) * d);
      v = static_cast<float>(NextV(v, d));
      const double root = std::sqrt(unbias2 * v);
      global[i] = static_cast<float>(keep * global[i] +
                                     rate * (unbias1 * m) / (root + epsilon));
    }
  }
};

}  // namespace

bool HasServerOptimizer(const v1::Study& study) {
  return study.aggregation().has_server_optimizer();
}

std::vector<ElementRun> RunsOf(const ParameterLayout& layout) {
  std::vector<ElementRun> runs;
  for (const TensorSpec& tensor : layout.travelling) {
    const bool learned = IsLearned(tensor.role);
    const bool decays = tensor.role == TensorRole::kWeight;
    if (!runs.empty() && runs.back().learned == learned &&
        runs.back().decays == decays) {
      runs.back().size += tensor.size();
    } else {
      runs.push_back({tensor.size(), learned, decays});
    }
  }
  return runs;
}

int StateSize(const Rules& rules) {
  if (rules.kind() != Rules::KIND_SGD) return 2;
  return rules.momentum() > 0 ? 1 : 0;
}

double ServerRateFactor(const v1::Schedule& schedule, uint32_t rounds,
                        uint32_t round) {
  const double warmup = schedule.warmup_rounds();
  const double before = round - 1.0;
  if (before < warmup) return std::min(1.0, round / warmup);
  const double length = rounds - warmup;
  switch (schedule.kind()) {
    case v1::Schedule::KIND_COSINE: {
      const double done =
          length > 0 ? std::min(1.0, (before - warmup) / length) : 1;
      const double last = schedule.final_fraction();
      return last + (1 - last) * (1 + CosPi(done)) / 2;
    }
    case v1::Schedule::KIND_STEP:
      return Power(
          schedule.step_factor(),
          static_cast<uint64_t>((before - warmup) / schedule.step_rounds()));
    default:
      return 1;
  }
}

ServerStep::ServerStep(const Rules& rules, double rate_factor, uint64_t step)
    : rules_(rules), rate_(rules.learning_rate() * rate_factor) {
  unbias1_ = 1 / (1 - Power(rules_.beta1(), step));
  if (rules_.kind() != Rules::KIND_ADAGRAD) {
    unbias2_ = 1 / (1 - Power(rules_.beta2(), step));
  }
}

void ServerStep::Clip(double squares) {
  const double norm = std::sqrt(squares);
  clipping_ =
      rules_.clip() > 0 && norm > rules_.clip() ? rules_.clip() / norm : 1;
}

void ServerStep::Apply(const ElementRun& run, absl::Span<const uint32_t> sums,
                       double scale, absl::Span<float> state,
                       absl::Span<float> global) const {
  if (!run.learned) return AddMean(sums, scale, global);
  const double clipped = scale * clipping_;
  const double keep = run.decays ? 1 - rate_ * rules_.weight_decay() : 1;
  if (rules_.kind() == Rules::KIND_SGD) {
    return SgdStep{rules_.momentum(), rate_, keep}(sums, clipped, state,
                                                   global);
  }
  AdaptiveStep{rules_.kind(), rules_.beta1(), rules_.beta2(), unbias1_,
               unbias2_,      rate_,          keep,           rules_.epsilon()}(
      sums, clipped, state, global);
}

void AddSquares(absl::Span<const uint32_t> sums, double scale,
                double& squares) {
  double sum = squares;
  for (uint32_t word : sums) {
    const double d = D(word, scale);
    sum += d * d;
  }
  squares = sum;
}

}  // namespace hilum
