// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/given_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(GivenUpStudiesTest, ManifestFreesAllStudiesAndAnApprovalItsOwn) {
  const std::string folder = absl::StrCat(testing::TempDir(), "/given-up");
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::string manifest = folder + "/manifest.csv";
  const std::string one(32, '\1'), two(32, '\2');
  GivenUpStudies given_up(manifest, folder);
  given_up.Add(one);
  given_up.Add(two);
  EXPECT_THAT(given_up.TakeMended(), IsEmpty());

  const std::string approval =
      absl::StrCat(folder, "/", ToHex(two), ".approved");
  ASSERT_TRUE(WriteFileAtomically(approval, "", Durability::kNone).ok());
  EXPECT_THAT(given_up.TakeMended(), ElementsAre(two));
  EXPECT_THAT(given_up.TakeMended(), IsEmpty()) << "it was taken";

  ASSERT_TRUE(WriteFileAtomically(manifest, "file", Durability::kNone).ok());
  EXPECT_THAT(given_up.TakeMended(), ElementsAre(one));
}

}  // namespace
}  // namespace hilum
