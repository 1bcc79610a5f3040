// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/manifest_table.h"

#include "common/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(ManifestTableTest, ErrorsBeginWithThePath) {
  const std::string path = ::testing::TempDir() + "/manifest_table_test.csv";
  EXPECT_EQ(ReadManifestTable(path + ".absent").status().code(),
            absl::StatusCode::kNotFound);
  ASSERT_TRUE(WriteFileAtomically(path, "PK\x03\x04", Durability::kNone).ok());
  EXPECT_THAT(std::string(ReadManifestTable(path).status().message()),
              ::testing::StartsWith(path + ": a workbook"));
  ASSERT_TRUE(WriteFileAtomically(path, "a;b\n1;2\n", Durability::kNone).ok());
  EXPECT_EQ(ReadManifestTable(path)->rows.size(), 1u);
}

}  // namespace
}  // namespace hilum
