// SPDX-License-Identifier: Apache-2.0
#include "coordinator/coordinator_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/file.h"

namespace hilum {
namespace {

using ::testing::HasSubstr;

constexpr char kConfig[] =
    "listen: 0.0.0.0:1\nstate_dir: state\naddress_file: /run/address\n"
    "tls: {authority: ca.crt, certificate: c.crt, private_key: c.key}\n";

class CoordinatorConfigTest : public testing::Test {
 protected:
  CoordinatorConfigTest() { std::filesystem::create_directories(folder_); }
  ~CoordinatorConfigTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<v1::CoordinatorConfig> Load(const std::string& text) const {
    const std::string path = folder_ + "/coordinator.yaml";
    EXPECT_TRUE(WriteFileAtomically(path, text).ok());
    return LoadCoordinatorConfig(path);
  }

  const std::string folder_ =
      std::filesystem::path(
          absl::StrCat(testing::TempDir(), "coordinator-config-", getpid()))
          .lexically_normal();
};

TEST_F(CoordinatorConfigTest, PathsBeginAtTheFilesFolder) {
  const auto config = Load(kConfig);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->state_dir(), folder_ + "/state");
  EXPECT_EQ(config->tls().private_key(), folder_ + "/c.key");
  EXPECT_EQ(config->address_file(), "/run/address");
  EXPECT_EQ(AdminSocket(*config), folder_ + "/state/admin.sock");
}

TEST_F(CoordinatorConfigTest, EachNeededFieldIsNamed) {
  for (const auto& [given, field] :
       {std::pair{"listen: 0.0.0.0:1\n", "'listen'"},
        std::pair{"state_dir: state\n", "'state_dir'"},
        std::pair{"authority: ca.crt, ", "'tls.authority'"},
        std::pair{"certificate: c.crt, ", "'tls.certificate'"},
        std::pair{", private_key: c.key", "'tls.private_key'"}}) {
    const absl::Status status =
        Load(absl::StrReplaceAll(kConfig, {{given, ""}})).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << field;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat(field, " is missing")));
  }
}

}  // namespace
}  // namespace hilum
