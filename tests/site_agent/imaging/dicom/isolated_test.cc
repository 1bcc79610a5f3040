// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/isolated.h"

#include <cstdlib>
#include <cstring>

#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(IsolatedTest, WhatIsWrittenIsAppended) {
  std::string out = "before ";
  const absl::Status status = RunIsolated(
      5,
      [](char* bytes) {
        std::memcpy(bytes, "after", 5);
        return absl::OkStatus();
      },
      out);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(out, "before after");
}

TEST(IsolatedTest, AnErrorComesBackAndNothingIsAppended) {
  std::string out;
  const absl::Status status = RunIsolated(
      5, [](char*) { return absl::DataLossError(std::string(300, 'x')); }, out);
  EXPECT_EQ(status, absl::DataLossError(std::string(200, 'x')));
  EXPECT_EQ(out, "");
}

TEST(IsolatedTest, OnlyTheChildDies) {
  std::string out;
  const absl::Status aborted = RunIsolated(
      5, [](char*) -> absl::Status { std::abort(); }, out);
  EXPECT_EQ(aborted.code(), absl::StatusCode::kInvalidArgument);
  const absl::Status ended = RunIsolated(
      5, [](char*) -> absl::Status { std::_Exit(0); }, out);
  EXPECT_EQ(ended.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace hilum
