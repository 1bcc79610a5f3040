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

TEST(ListenCommandTest, WrongUsageIsToldBeforeAnythingIsOpened) {
  EXPECT_EQ(ExitOf("listen --store x"), 2);
  EXPECT_EQ(ExitOf("listen --store x --port 65536"), 2);
  EXPECT_EQ(ExitOf("listen --port 0"), 2);
  EXPECT_EQ(ExitOf("listen --help"), 0);
}

}  // namespace
}  // namespace hilum
