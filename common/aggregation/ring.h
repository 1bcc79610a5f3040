// SPDX-License-Identifier: Apache-2.0
// The vectors in which updates travel and are summed: fixed point over the
// ring of integers mod 2^32. A sum over the ring has the same bits in any
// order, and under masks that cancel in it (common/secagg/mask.h).
//
// A track has n_s examples at site s, N in the whole cohort (by its census) and
// N' = sum_s n_s <= N at the sites that take part. The site's delta is d_s,
// |d_s| <= R. Then:
//   x_s = n_s / N * d_s
//   v_s = floor(x_s * 2^f + u)             u uniform in [0, 1): the encoding
//   global' = float(global + int32(sum_s v_s) * 2^-f * N / N')
// In a round of few steps N' is far below N. There M (MostTrained,
// common/config/step_plan.h) takes the place of N in x_s and global', N' <= M,
// and all bounds below hold with it. With FedNova x_s is divided by a_s >= 1,
// and the mean is multiplied by A, as are its errors.
// R is the study's clipping norm, or kMaxDelta where it clips nothing; f is the
// largest integer with R * 2^f + S + 1 < 2^31, S = kMaxSites. For R = 16, f is
// 26.
//
// The sum cannot wrap: |v_s - x_s 2^f| <= 1, and sum_s |x_s| <= R N' / N <= R,
// so |sum_s v_s| <= R 2^f + S < 2^31, and int32 reads the sum. The 1 is room
// for doubles: the rounding error of x_s 2^f is within 2^-50, that of all sites
// together within 2^-19.
//
// Error of the mean against the mean in real numbers: rounding is unbiased,
// E[v_s] = x_s 2^f within 2^-20 (from doubles and the 32 bits of u), and
// independent from site to site and element to element. For k sites the error
// is
//   at most                  k * 2^-f * N / N'
//   in standard deviation    sqrt(k) / 2 * 2^-f * N / N'  or less,
// and global' is rounded to float once. R = 16, five sites, all in: 7.5e-8 and
// 1.7e-8. The weight is applied before rounding, so a site of few examples
// adds no more error than a large one.
//
// A site's vector cannot be checked under masks: any word is valid. Within the
// range, a site that lies moves each element of the mean by as much as the
// whole cohort could; one that sends random words makes the sum random. Only an
// absurd sum of examples can be detected.
//
// Source: McMahan et al. 2017, algorithm 1 (the mean); Bonawitz et al. 2017
// (ePrint 2017/281), section 4 (the ring); Gupta et al. 2015, section 3
// (stochastic rounding).
#ifndef HILUM_COMMON_AGGREGATION_RING_H_
#define HILUM_COMMON_AGGREGATION_RING_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

inline constexpr int kMaxSites = 1000;  // S; a study has no more
inline constexpr float kMaxDelta = 16;  // R where nothing clips
// Most examples of one site and track, so that N and N' are below 2^31.
inline constexpr uint64_t kMaxSiteExamples = 1 << 21;

// The layout of a vector: for each track its travelling elements; then for each
// track num_examples and, where the study validates, validation_examples and
// the validation loss (EncodeLoss); then for each arm the loss (EncodeLoss)
// over all the arm's tracks. Validation losses choose each track's model, so
// they travel by track, under a rule for the patients of each fold
// (ValidatedTracks, common/config/cohort_rules.h). Training losses choose
// nothing, so they travel by arm: the difference of two tracks' losses would be
// of single folds.
struct VectorLayout {
  int64_t track_size = 0;  // elements
  int num_tracks = 0;      // by arm, equally many each
  int num_arms = 1;
  bool validates = false;  // IsValidated of the study

  // Elements of the whole vector, and of the part before the counts and losses.
  int64_t size() const { return tail() + tail_words(); }
  int64_t tail() const { return num_tracks * track_size; }
  // Words of all counts and losses, and of one track's; an arm has one.
  int64_t tail_words() const { return num_tracks * track_words() + num_arms; }
  int64_t track_words() const { return validates ? 3 : 1; }
  int tracks_per_arm() const { return num_tracks / num_arms; }
  uint64_t num_bytes() const {
    return static_cast<uint64_t>(size()) * sizeof(uint32_t);
  }
};

// Adds masks to a piece of a vector, or takes them off, in place. Pieces begin
// at a multiple of 4 elements. An empty function: no masks.
using VectorMask =
    std::function<void(uint64_t first_element, absl::Span<uint32_t> values)>;

// Returns f of a study; clipping_norm 0: the study does not clip.
int FractionBits(double clipping_norm);

// The source of the u of one track of one update; never secret. The numbers are
// the same on every machine, whatever pieces a track is encoded in. Source: the
// mix of 32 bits of C. Wellons, hash-prospector, 2018 (lowbias32), of the
// element's index, with the key added before and in the middle; over 2^32
// elements each value comes once.
class RoundingStream {
 public:
  // (seed, name): as in Rng.
  RoundingStream(uint64_t seed, absl::string_view name);

  // Returns (u - 1/2) * 2^32, as a two's complement, for the track's element
  // `index`.
  uint32_t At(uint32_t index) const {
    uint32_t x = index + before_;
    x = (x ^ (x >> 16)) * 0x7feb352du ^ within_;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
  }

 private:
  uint32_t before_;
  uint32_t within_;
};

// Sets words[i] to v of delta[i]; `scale` is n_s / N * 2^f times the clipping
// factor. `first` is delta[0]'s index in its track. |delta[i] * scale| < 2^31 -
// 1; lengths are equal, the memory is apart. Where scale or delta is 0, so is
// v.
void EncodeDelta(absl::Span<const float> delta, double scale,
                 const RoundingStream& rounding, uint64_t first,
                 absl::Span<uint32_t> words);

// Adds: sums[i] += words[i] mod 2^32; equal lengths.
void AddWords(absl::Span<const uint32_t> words, absl::Span<uint32_t> sums);
// Adds as AddWords does; carries[i] += 1 where the addition wraps.
void AddWordsAndCarries(absl::Span<const uint32_t> words,
                        absl::Span<uint32_t> sums,
                        absl::Span<uint32_t> carries);

// Sets global[i] += int32(sums[i]) * step, where `step` is 2^-f * N / N'.
void ApplyMean(absl::Span<const uint32_t> sums, double step,
               absl::Span<float> global);

inline constexpr double kMaxLoss = 64;  // nats a case

// Encodes the loss of an arm for the sum: rint(L_s / N * 2^24). L_s is the
// site's sum of losses over all the arm's tracks, clamped to [0, 64 n_s] first
// (the site clamps each track's part to 64 times its own examples). n_s is the
// number of examples that the site trained on, N the number of training cases
// in the cohort's census, both summed over these tracks. N is below 2^31 times
// the number of tracks: exact in a double, but too large for a word.
// num_examples <= total_examples, which is N; loss_sum is not NaN.
//
// No wrap: a site's word is at most 64 * 2^24 * n_s / N + 1/2. In every track
// sum_s n_s is at most the track's N, and so it is over the arm's tracks. The
// words of S sites therefore come to at most 64 * 2^24 + S / 2 = 2^30 + 500 <
// 2^31. The cohort's mean is exact within k * 2^-25 * N / N' for k sites.
//
// The validation loss of one track is encoded in the same way, with the track's
// validation examples v_s in place of n_s and the track's N. A site's n_s + v_s
// is at most its census' cases of the track, so that sum_s v_s <= N, and the
// same bound holds. Counts travel by track, and a track's N < 2^31 bounds their
// sums.
//
// In an evaluation (statistics_vector.h) the loss is that of one track, with
// its held-out cases as n_s and N.
uint32_t EncodeLoss(double loss_sum, uint64_t num_examples,
                    uint64_t total_examples);

// Returns the mean loss over num_examples = N' > 0 examples.
double DecodeLoss(uint32_t sum, uint64_t num_examples, uint64_t total_examples);

// Encodes a sum of shares in [0, 1], one share of each of `cases` cases:
// rint(sum / N * 2^30), with the sum clamped to [0, cases] first. With sum_s
// cases_s <= N the words of all sites come to at most 2^30 + S / 2 = 2^30 + 500
// < 2^32: no wrap. The cohort's sum is exact within k * 2^-31 * N for k sites.
// cases <= total_cases, which is N; sum is not NaN.
uint32_t EncodeShares(double sum, uint64_t cases, uint64_t total_cases);

// Returns the cohort's sum of shares.
double DecodeShares(uint32_t sum, uint64_t total_cases);

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_RING_H_
