// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

int ExitOf(const std::string& arguments) {
  const int status =
      std::system(absl::StrCat(HILUM_BIN_DIR, "/hilum-ingest ", arguments,
                               " >/dev/null 2>&1 </dev/null")
                      .c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(QueryCommandTest, WrongUsageIsToldBeforeAnythingIsOpened) {
  const std::string query = "query --store /dev/null/x --peer P@h:1 ";
  EXPECT_EQ(ExitOf(query), 2);  // neither days nor names
  EXPECT_EQ(ExitOf(query + "--from 2020-03-01"), 2);
  EXPECT_EQ(ExitOf(query + "--to 2020-03-01"), 2);
  EXPECT_EQ(ExitOf(query + "--from 2020-03-01 --to 20200302"), 2);
  const std::string days = query + "--from 2020-03-01 --to 2020-03-01 ";
  EXPECT_EQ(ExitOf(days + "--move"), 2);
  EXPECT_EQ(ExitOf(days + "--accession A1"), 2);
  EXPECT_EQ(ExitOf(days + "--list l.csv"), 2);
  EXPECT_EQ(ExitOf(days + "--undated perhaps"), 2);
  // These options need a listener.
  EXPECT_EQ(ExitOf(days + "--allow PACS"), 2);
  EXPECT_EQ(ExitOf(days + "--bind 0.0.0.0"), 2);
  EXPECT_EQ(ExitOf(query + "--from 2020-03-02 --to 2020-03-01"), 2);
  EXPECT_EQ(ExitOf("query --help"), 0);
}

}  // namespace
}  // namespace hilum
