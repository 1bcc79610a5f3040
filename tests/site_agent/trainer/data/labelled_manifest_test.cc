// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/labelled_manifest.h"

#include "common/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(LabelledManifestTest, EveryLabelThatOccursIsAClass) {
  const std::string path = ::testing::TempDir() + "/labelled_manifest_test.csv";
  ASSERT_TRUE(
      WriteFileAtomically(path,
                          "File;Label ;patient_id;site\n"
                          "a;well;1;x\nb; sick;2;x\nc;;3;x\nd;other;4;y\n",
                          Durability::kNone)
          .ok());
  auto read = ReadAnyManifest(path, {.site_column = "Site", .site = "x"});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(read->labels, ::testing::ElementsAre("", "sick", "well"));
  ASSERT_EQ(read->manifest.cases.size(), 3u);
  EXPECT_EQ(read->manifest.cases[1].label, 1);
  EXPECT_TRUE(read->manifest.rejected.empty());
  EXPECT_EQ(ReadAnyManifest(path)->labels.size(), 4u);
}

}  // namespace
}  // namespace hilum
