// SPDX-License-Identifier: Apache-2.0
// hilum-bench-follow FOLDER: what it costs a site to check that a round follows
// from the last sum: checking the opening, for 10 and for 100 sites of which
// one was lost; the checksums of its own masked vector and of the published
// sum; and the new model from sum and opening, with the checksum of the sum.
// Over 11.8 M words, an update of ResNet18, in files in the page cache. Medians
// of five.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/aggregation/fed_avg.h"
#include "common/aggregation/sum_file.h"
#include "common/base/file.h"
#include "common/secagg/opening.h"
#include "common/secagg/vector_checksum.h"
#include "tests/bench/sum_with_a_loss.h"

namespace hilum {
namespace {

constexpr int64_t kNumParameters = 11'800'000;
constexpr int kSites = 10;
constexpr int kSurvivors = kSites - 1;
constexpr int kFractionBits = 24;
constexpr uint64_t kExamples = 100;  // of each site

double Median(const std::function<void()>& turn) {
  std::vector<double> seconds;
  for (int i = 0; i < 5; ++i) {
    const double start = Seconds();
    turn();
    seconds.push_back(Seconds() - start);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[2];
}

double CpuSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

template <typename Word>
void Write(const std::string& path, const std::vector<Word>& words) {
  HILUM_CHECK(WriteFileAtomically(
                  path,
                  absl::string_view(reinterpret_cast<const char*>(words.data()),
                                    words.size() * sizeof(Word)),
                  Durability::kNone)
                  .ok());
}

void MeasureOpening(int sites) {
  const SumWithALoss sum(sites);
  const v1::SumOpening opening = sum.server().Open().value();
  const double first = Median([&] {
    HILUM_CHECK(CheckOpening(sum.context(), *sum.NewVerifier(), opening).ok());
  });
  const double seconds = Median([&] {
    HILUM_CHECK(CheckOpening(sum.context(), sum.verifier(), opening).ok());
  });
  std::printf(
      "opening of %d sites, %.0f KB: checked in %.1f ms, with certificates "
      "that were not seen before in %.1f ms\n",
      sites, static_cast<double>(opening.ByteSizeLong()) * 1e-3, seconds * 1e3,
      first * 1e3);
}

// A sum that is still masked, and the global model that it is about.
class Round {
 public:
  explicit Round(const std::string& folder) : folder_(folder) {
    opening_ = sum_.server().Open().value();
    std::vector<uint32_t> words(static_cast<size_t>(layout_.size()), 1 << 20);
    words[static_cast<size_t>(layout_.tail())] = kSurvivors * kExamples;
    words.back() = EncodeLoss(kSurvivors * kExamples, kSurvivors * kExamples,
                              kSites * kExamples);
    // The masks that the opening removes.
    std::vector<uint32_t> masks(words.size());
    Unmask(0, absl::MakeSpan(masks));
    for (size_t i = 0; i < words.size(); ++i) words[i] -= masks[i];
    Write(Path("vector"), words);
    SumFileWriter writer(Path("sum"), layout_.size(), kSurvivors);
    const std::vector<uint32_t> carries(words.size(), kSurvivors / 2);
    HILUM_CHECK(writer.Create().ok() && writer.Append(words, carries).ok() &&
                writer.Commit(Durability::kNone).ok());
    Write(Path("global"),
          std::vector<float>(static_cast<size_t>(kNumParameters), 0.5f));
  }

  void Checksums() const {
    const std::string challenge(kChecksumChallengeSize, 'c');
    const double bytes = static_cast<double>(layout_.num_bytes());
    const double own = Median([&] {
      HILUM_CHECK(
          ChecksumOfVector(Path("vector"), layout_.size(), challenge).ok());
    });
    const double of_sum = Median([&] {
      HILUM_CHECK(
          ChecksumOfSum(Path("sum"), layout_.size(), kSurvivors, challenge)
              .ok());
    });
    std::printf(
        "checksum of a vector of 11.8 M words %.2f GB/s (%.3f s), of a sum of "
        "%d %.2f GB/s (%.3f s)\n",
        bytes / own * 1e-9, own, kSurvivors, bytes / of_sum * 1e-9, of_sum);
  }

  void Follow() {
    std::unique_ptr<SumChecksum> checksum;
    const AggregateOptions options{
        .layout = layout_,
        .fraction_bits = kFractionBits,
        .total_examples = {kSites * kExamples},
        .sum =
            PublishedSum{.path = Path("sum"),
                         .num_vectors = kSurvivors,
                         .see =
                             [&](int64_t first, absl::Span<const uint32_t> low,
                                 absl::Span<const uint32_t> carries) {
                               checksum->Add(first, low, carries);
                             }},
        .unmask = [this](uint64_t first,
                         absl::Span<uint32_t> words) { Unmask(first, words); },
        .global_path = Path("global"),
        .output_path = Path("next"),
        .durability = Durability::kNone};
    const double cpu = CpuSeconds();
    const double seconds = Median([&] {
      checksum =
          SumChecksum::Create(std::string(kChecksumChallengeSize, 'c')).value();
      HILUM_CHECK(AggregateUpdates(options).ok());
    });
    std::printf(
        "a sum of 11.8 M words of %d sites, one lost: its checksum, masks off, "
        "the new model and its digest in one pass %.3f s, of the processor "
        "%.3f s\n",
        kSites, seconds, (CpuSeconds() - cpu) / 5);
  }

 private:
  std::string Path(const char* name) const {
    return absl::StrCat(folder_, "/", name);
  }
  // Removes the masks, made from the opening at the first call.
  void Unmask(uint64_t first, absl::Span<uint32_t> words) {
    if (masks_.empty())
      masks_ = LeftoverMasks(sum_.context(), opening_).value();
    ApplyMaskStreams(absl::MakeSpan(masks_), first, words);
  }

  const std::string folder_;
  const VectorLayout layout_{.track_size = kNumParameters, .num_tracks = 1};
  const SumWithALoss sum_{kSites};
  v1::SumOpening opening_;
  std::vector<MaskStream> masks_;
};

}  // namespace
}  // namespace hilum

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("hilum-bench-follow FOLDER\n", stderr);
    return 2;
  }
  for (int sites : {10, 100}) hilum::MeasureOpening(sites);
  hilum::Round round(argv[1]);
  round.Checksums();
  round.Follow();
  return 0;
}
