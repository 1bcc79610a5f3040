// SPDX-License-Identifier: Apache-2.0
#include "sim/simulated_consortium.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

TEST(SimulatedConsortiumTest, AFolderKeepsAuthorityAndKeysForItsOwnerAlone) {
  const std::string folder =
      absl::StrCat(testing::TempDir(), "/consortium-", getpid());
  std::string authority, certificate;
  for (int run = 0; run < 2; ++run) {
    const auto consortium = SimulatedConsortium::Open(folder);
    ASSERT_TRUE(consortium.ok()) << consortium.status();
    const auto member = (*consortium)->Join(SiteId("ca"));
    ASSERT_TRUE(member.ok()) << member.status();
    if (run == 0) {
      authority = (*consortium)->authority_pem();
      certificate = member->credentials.certificate_pem;
    }
    EXPECT_EQ((*consortium)->authority_pem(), authority);
    EXPECT_EQ(member->credentials.certificate_pem, certificate);
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_EQ(entry.status().permissions(),
              std::filesystem::perms::owner_read |
                  std::filesystem::perms::owner_write)
        << entry.path();
  }
  std::filesystem::remove_all(folder);
}

TEST(SimulatedConsortiumTest, InMemoryEachIsAnother) {
  EXPECT_NE((*SimulatedConsortium::Create())->authority_pem(),
            (*SimulatedConsortium::Create())->authority_pem());
}

}  // namespace
}  // namespace hilum
