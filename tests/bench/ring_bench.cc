// SPDX-License-Identifier: Apache-2.0
// hilum-bench-ring [REPEATS]: compares each operation of a site and the
// coordinator on the elements of an update, over the vector of a ResNet18 in
// the usual blocks, with a copy of the same floats on the same core. Turns
// alternate; prints medians, in millions of elements a second.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <vector>

#include "common/aggregation/clipping.h"
#include "common/aggregation/ring.h"

namespace hilum {
namespace {

constexpr size_t kNumElements = 11'700'000;
constexpr size_t kBlock = 1 << 16;

// Returns this thread's CPU time, without the time of other processes.
double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

double Median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Step {
  const char* name;
  std::function<void(absl::Span<float>, size_t)> run;  // block, its start
  std::vector<double> seconds;
};

void Run(int repeats) {
  std::vector<float> delta(kNumElements, 0.01f);
  std::vector<float> copy(kBlock);
  std::vector<uint32_t> words(kBlock), sums(kBlock);
  const RoundingStream rounding(1, "rounding/1/north/0");
  int64_t bad = 0;
  std::vector<Step> steps = {
      {"copy",
       [&](absl::Span<float> block, size_t) {
         std::memcpy(copy.data(), block.data(), block.size() * sizeof(float));
       }},
      {"check", [&](absl::Span<float> block,
                    size_t) { bad += FirstBadDelta(block, kMaxDelta); }},
      {"encode",
       [&](absl::Span<float> block, size_t at) {
         EncodeDelta(block, 0x1p24, rounding, at,
                     absl::MakeSpan(words.data(), block.size()));
       }},
      {"sum",
       [&](absl::Span<float> block, size_t) {
         AddWords(absl::MakeSpan(words.data(), block.size()),
                  absl::MakeSpan(sums.data(), block.size()));
       }},
      {"decode", [&](absl::Span<float> block, size_t) {
         ApplyMean(absl::MakeSpan(sums.data(), block.size()), 0x1p-50, block);
       }}};
  for (int repeat = 0; repeat < repeats; ++repeat) {
    for (Step& step : steps) {
      const double start = CpuSeconds();
      for (size_t at = 0; at < kNumElements; at += kBlock) {
        step.run(absl::MakeSpan(delta).subspan(at, kBlock), at);
      }
      step.seconds.push_back(CpuSeconds() - start);
    }
  }
  std::printf("ring, 11.7 M elements, M/s:");
  for (const Step& step : steps) {
    std::printf("  %s %.0f", step.name,
                kNumElements / Median(step.seconds) * 1e-6);
  }
  std::puts(bad < 0 ? "" : "  (a bad delta)");
}

}  // namespace
}  // namespace hilum

int main(int argc, char** argv) {
  hilum::Run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 31);
  return 0;
}
