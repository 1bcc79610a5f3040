// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/aggregation/fed_avg.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"
#include "tests/support/tiny_disk.h"

namespace hilum {
namespace {

constexpr int64_t kElements = 100000;

template <typename Value>
std::string Bytes(const std::vector<Value>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()),
                     values.size() * sizeof(Value));
}

std::string Floats(float value) {
  return Bytes(std::vector<float>(kElements, value));
}

// One track, three examples.
std::string Vector(float delta) {
  std::vector<uint32_t> words(
      kElements, static_cast<uint32_t>(std::ldexp(delta, FractionBits(0))));
  words.insert(words.end(), {3, 0});
  return Bytes(words);
}

TEST(AggregateOnAFullDiskTest, LeavesNothingAndGivesTheSameBytesWhenTried) {
  auto disk = TinyDisk::Mount(2 << 20);
  if (absl::IsPermissionDenied(disk.status())) {
    GTEST_SKIP() << "needs root to mount a small disk: " << disk.status();
  }
  ASSERT_TRUE(disk.ok()) << disk.status();
  auto path = [&](const char* name) {
    return absl::StrCat((*disk)->path(), "/", name);
  };
  ASSERT_TRUE(WriteFileAtomically(path("global"), Floats(1)).ok());
  ASSERT_TRUE(WriteFileAtomically(path("update"), Vector(0.5f)).ok());
  AggregateOptions options{.layout = {.track_size = kElements, .num_tracks = 1},
                           .fraction_bits = FractionBits(0),
                           .total_examples = {3},
                           .global_path = path("global"),
                           .output_path = path("new")};
  options.updates.push_back({.site = "a", .path = path("update")});
  ASSERT_TRUE((*disk)->Fill(1 << 17).ok());
  EXPECT_EQ(AggregateUpdates(options).status().code(),
            absl::StatusCode::kResourceExhausted);
  (*disk)->Free();
  EXPECT_EQ(
      std::distance(std::filesystem::directory_iterator((*disk)->path()), {}),
      2);

  auto result = AggregateUpdates(options);
  ASSERT_TRUE(result.ok()) << result.status();
  const std::string bytes = ReadFile(path("new")).value();
  EXPECT_TRUE(bytes == Floats(1.5f));
  EXPECT_EQ(result->sha256, Sha256Of(bytes));
}

}  // namespace
}  // namespace hilum
