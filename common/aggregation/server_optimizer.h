// SPDX-License-Identifier: Apache-2.0
// The server's optimiser: from a track's mean update to its next global model.
// Coordinator and sites compute it, each for itself, and must find the same
// bits on every machine. So it is elementwise, in a fixed order, in double;
// its results and its state are rounded to float. Products and sums stay apart
// (-ffp-contract=off), powers are repeated products, and the cosine of the
// schedule is a polynomial of its own, since libm's last bit differs.
//
// With w the global model, D the mean update (fed_avg.h), t the track's steps
// up to this one, n the rate, b1, b2, e and d of v1::ServerOptimizer:
//   sgd      m = momentum m + D;                   w = (1 - n d) w + n m
//   the others m = b1 m + (1 - b1) D;  with u = m / (1 - b1^t)
//   adam     v = b2 v + (1 - b2) D^2;              w = w + n u / (sqrt(s) + e)
//   adamw    v as adam;                  w = (1 - n d) w + n u / (sqrt(s) + e)
//   yogi     v = v - (1 - b2) sign(v - D^2) D^2;   w as adam
//   adagrad  v = v + D^2;                          w as adam
// s is v / (1 - b2^t), and v itself with adagrad. m and v begin at 0, so that
// the first step of adam is n D / (|D| + e). With local_steps 1 and a site's
// rate of 1, D is minus the gradient of the cohort's batch: adam and adamw are
// then the textbook's. `clip` first scales a track's D to at most that norm.
//
// Running statistics of batch normalisation are not learned: they take D as it
// is, whatever the kind. Momentum would take a variance below 0. Weight decay
// is for weights of convolutions and linear layers only.
//
// Source: Reddi et al. 2021 (arXiv 2003.00295), algorithm 2, with the bias
// correction of Kingma, Ba 2015 (algorithm 1); Hsu et al. 2019 (arXiv
// 1909.06335): sgd with momentum is FedAvgM, where the paper's server learns
// at rate 1; Zaheer et al. 2018 (Yogi); Loshchilov, Hutter 2019 (AdamW).
#ifndef HILUM_COMMON_AGGREGATION_SERVER_OPTIMIZER_H_
#define HILUM_COMMON_AGGREGATION_SERVER_OPTIMIZER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/model/architecture.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns whether the study has a server optimiser; without one the mean update
// is added.
bool HasServerOptimizer(const v1::Study& study);

// How consecutive elements of a track are treated.
struct ElementRun {
  int64_t size;
  bool learned;  // else D is added
  bool decays;
};

// Returns the runs of a track's travelling parameters, in their order.
std::vector<ElementRun> RunsOf(const ParameterLayout& layout);

// Returns the floats of state of an element: 0, m, or m and v.
int StateSize(const v1::ServerOptimizer& rules);

// Returns the factor of the learning rate in `round`, from 1, of `rounds`: that
// of v1::Schedule at the round's beginning, and in the warm-up at its end. It
// has the same bits on every machine.
double ServerRateFactor(const v1::Schedule& schedule, uint32_t rounds,
                        uint32_t round);

// The step of one track in one round. Immutable.
class ServerStep {
 public:
  // `rate_factor`: of the learning rate (ServerRateFactor). `step`: t, from 1.
  ServerStep(const v1::ServerOptimizer& rules, double rate_factor,
             uint64_t step);

  // Sets the factor that clips the track's mean update, from the sum of squares
  // of its learned elements (AddSquares). It is 1 without `clip`, and before.
  void Clip(double squares);

  // Takes the step for elements of one run: D[i] is int32(sums[i]) * scale.
  // `state` [sums.size() * StateSize], m and v of each element side by side.
  void Apply(const ElementRun& run, absl::Span<const uint32_t> sums,
             double scale, absl::Span<float> state,
             absl::Span<float> global) const;

 private:
  const v1::ServerOptimizer rules_;
  double rate_ = 0;      // n
  double unbias1_ = 1;   // 1 / (1 - b1^t)
  double unbias2_ = 1;   // 1 / (1 - b2^t)
  double clipping_ = 1;  // factor of D
};

// Adds D[i]^2 to `squares`, in order: bits do not depend on how a track is cut.
void AddSquares(absl::Span<const uint32_t> sums, double scale, double& squares);

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_SERVER_OPTIMIZER_H_
