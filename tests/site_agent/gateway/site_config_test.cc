// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/site_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/file.h"
#include "common/crypto/secure_rng.h"

namespace hilum {
namespace {

std::string NewFolder() {
  std::string path = absl::StrCat(
      testing::TempDir(), "/site-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return std::filesystem::canonical(path);
}

constexpr char kConfig[] =
    "coordinator: localhost:1\n"
    "state_dir: state/../state\n"
    "manifest: m.csv\n"
    "tls:\n"
    "  authority: a.pem\n"
    "  certificate: /etc/c.pem\n"
    "  private_key: k.pem\n";

absl::StatusOr<v1::SiteConfig> Load(const std::string& folder,
                                    absl::string_view text) {
  const std::string path = folder + "/site.yaml";
  EXPECT_TRUE(WriteFileAtomically(path, text, Durability::kNone).ok());
  return LoadSiteConfig(path);
}

TEST(SiteConfigTest, PathsAreOfTheFilesFolder) {
  const std::string folder = NewFolder();
  auto config = Load(folder, kConfig);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->state_dir(), folder + "/state");
  EXPECT_EQ(config->manifest(), folder + "/m.csv");
  EXPECT_EQ(config->tls().authority(), folder + "/a.pem");
  EXPECT_EQ(config->tls().private_key(), folder + "/k.pem");
  EXPECT_EQ(config->tls().certificate(), "/etc/c.pem");
}

TEST(SiteConfigTest, WhatIsNotGivenIsFilledIn) {
  const std::string folder = NewFolder();
  const auto config = Load(folder, kConfig);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->patient_key_file(), folder + "/state/patient.key");
  EXPECT_THAT(config->trainer().binary(), testing::EndsWith("/hilum-trainer"));
  EXPECT_THAT(config->trainer().binary(), testing::StartsWith("/"));
  const auto given = Load(folder, absl::StrCat(kConfig,
                                               "patient_key_file: p.key\n"
                                               "trainer: {binary: t}\n"));
  ASSERT_TRUE(given.ok()) << given.status();
  EXPECT_EQ(given->patient_key_file(), folder + "/p.key");
  EXPECT_EQ(given->trainer().binary(), folder + "/t");
}

TEST(SiteConfigTest, EachFieldThatIsMissingIsNamed) {
  const std::string folder = NewFolder();
  for (const auto& [line, field] :
       {std::pair{"coordinator: localhost:1\n", "'coordinator'"},
        {"state_dir: state/../state\n", "'state_dir'"},
        {"manifest: m.csv\n", "'manifest'"},
        {"  authority: a.pem\n", "'tls.authority'"},
        {"  certificate: /etc/c.pem\n", "'tls.certificate'"},
        {"  private_key: k.pem\n", "'tls.private_key'"}}) {
    const absl::Status status =
        Load(folder, absl::StrReplaceAll(kConfig, {{line, ""}})).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                testing::HasSubstr(absl::StrCat("site.yaml: ", field)));
  }
}

TEST(SiteConfigTest, ACoordinatorWithoutAPortIsRefused) {
  const absl::Status status =
      Load(NewFolder(),
           absl::StrReplaceAll(kConfig, {{"localhost:1", "localhost"}}))
          .status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr("must be host:port"));
}

// A policy that is misspelt would be no policy.
TEST(SiteConfigTest, AFieldThatThereIsNotIsRefusedWithItsLine) {
  const absl::Status status =
      Load(NewFolder(), absl::StrCat(kConfig, "polici: {}\n")).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("site.yaml:8"));
}

TEST(SiteConfigTest, AKeyOfPatientsThatOthersReadIsRefused) {
  const std::string path = NewFolder() + "/patient.key";
  const auto made = LoadPatientKey(path, RealSecureRng());
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(LoadPatientKey(path, RealSecureRng()).value(), *made);
  std::filesystem::permissions(path, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  const absl::Status open = LoadPatientKey(path, RealSecureRng()).status();
  EXPECT_EQ(open.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(open.message()), testing::HasSubstr("chmod 600 "));
}

}  // namespace
}  // namespace hilum
