// SPDX-License-Identifier: Apache-2.0
// hilum-bench-mask [REPEATS]: compares a mask of secure aggregation over the
// vector of a ResNet18 with its cipher alone (OpenSSL's AES-128-CTR in blocks
// of 16 KB) on the same core: once over the same vector in memory, in place,
// and once over a block that never leaves the cache, like `openssl speed`.
// Turns alternate; prints medians, and the ratio to each of the two.
#include <openssl/evp.h>
#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <vector>

#include "common/secagg/mask.h"

namespace hilum {
namespace {

constexpr size_t kNumElements = 11'700'000;
constexpr size_t kBytes = kNumElements * sizeof(uint32_t);
constexpr size_t kRawBlock = 16384;
constexpr int kManyMasks = 5;  // of one of five sites: four peers' and its own

// Pins this thread: turns on several cores could not be compared.
void StayOnThisCore() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<size_t>(sched_getcpu()), &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) != 0) {
    std::perror("hilum-bench-mask: cannot stay on one core");
  }
}

SecretBytes Seed(uint8_t first) {
  return SecretBytes::FromBytes(std::vector<uint8_t>(kMaskSeedSize, first));
}

// Encrypts kBytes from `data` on, each block `stride` after the last.
void EncryptRaw(EVP_CIPHER_CTX* cipher, uint8_t* data, size_t stride) {
  for (size_t at = 0; at < kBytes; at += kRawBlock, data += stride) {
    int size = static_cast<int>(std::min(kRawBlock, kBytes - at));
    int done = 0;
    if (EVP_EncryptUpdate(cipher, data, &done, data, size) != 1) {
      std::fputs("hilum-bench-mask: cannot encrypt\n", stderr);
      std::exit(1);
    }
  }
}

// Returns this thread's CPU time, without the time of other processes.
double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

double SecondsOf(const std::function<void()>& turn) {
  double start = CpuSeconds();
  turn();
  return CpuSeconds() - start;
}

double Median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Seconds {
  std::vector<double> raw_cached, raw, one, many;
};

Seconds Measure(int repeats) {
  std::vector<uint32_t> values(kNumElements, 1);
  std::vector<uint8_t> cached(kRawBlock, 1);
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const uint8_t zeros[16] = {};
  EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_ctr(), nullptr, zeros, zeros);
  std::vector<MaskStream> masks;
  for (uint8_t i = 0; i < kManyMasks; ++i) {
    masks.emplace_back(Seed(i),
                       i % 2 == 0 ? MaskSign::kAdd : MaskSign::kSubtract);
  }
  Seconds seconds;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    seconds.raw_cached.push_back(
        SecondsOf([&] { EncryptRaw(cipher.get(), cached.data(), 0); }));
    seconds.raw.push_back(SecondsOf([&] {
      EncryptRaw(cipher.get(), reinterpret_cast<uint8_t*>(values.data()),
                 kRawBlock);
    }));
    seconds.one.push_back(
        SecondsOf([&] { masks[0].Apply(0, absl::MakeSpan(values)); }));
    seconds.many.push_back(SecondsOf([&] {
                             ApplyMaskStreams(absl::MakeSpan(masks), 0,
                                              absl::MakeSpan(values));
                           }) /
                           kManyMasks);
  }
  return seconds;
}

void Run(int repeats) {
  StayOnThisCore();
  Seconds seconds = Measure(repeats);
  double raw_cached = Median(seconds.raw_cached);
  double raw = Median(seconds.raw);
  std::printf("mask, 11.7 M elements  AES-128-CTR %.1f GB/s (cached %.1f)",
              kBytes / raw * 1e-9, kBytes / raw_cached * 1e-9);
  for (bool many : {false, true}) {
    double mask = Median(many ? seconds.many : seconds.one);
    std::printf("  %d mask%s %.1f GB/s ratio %.2f (to cached %.2f)",
                many ? kManyMasks : 1, many ? "s" : "", kBytes / mask * 1e-9,
                raw / mask, raw_cached / mask);
  }
  std::puts("");
}

}  // namespace
}  // namespace hilum

int main(int argc, char** argv) {
  hilum::Run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 31);
  return 0;
}
