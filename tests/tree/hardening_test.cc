// SPDX-License-Identifier: Apache-2.0
// Checks how the programs are linked, with any defaults of the compiler.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

// Returns the programs that were built.
std::vector<std::string> Programs() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(HILUM_BIN_DIR)) {
    const std::string name = entry.path().filename();
    if (entry.is_regular_file() && absl::StartsWith(name, "hilum-")) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string ReadElf(const std::string& program) {
  const std::string command =
      absl::StrCat("LC_ALL=C readelf --wide --file-header --program-headers ",
                   "--dynamic --dyn-syms ", HILUM_BIN_DIR, "/", program);
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"),
                                             pclose);
  std::string text;
  char buffer[4096];
  while (size_t got = fread(buffer, 1, sizeof buffer, pipe.get())) {
    text.append(buffer, got);
  }
  return text;
}

TEST(HardeningTest, EveryProgramMovesBindsAtItsStartAndGuardsItsStack) {
  const std::vector<std::string> programs = Programs();
  ASSERT_THAT(programs, IsSupersetOf({"hilum-certs", "hilum-coordinator",
                                      "hilum-ingest", "hilum-site"}));
  for (const std::string& program : programs) {
    const std::string elf = ReadElf(program);
    EXPECT_THAT(elf, ContainsRegex("Type: +DYN")) << program;
    EXPECT_THAT(elf, ContainsRegex("FLAGS_1[)] +Flags: NOW PIE")) << program;
    EXPECT_THAT(elf, HasSubstr("GNU_RELRO")) << program;
    EXPECT_THAT(elf, HasSubstr("__stack_chk_fail")) << program;
  }
}

}  // namespace
}  // namespace hilum
