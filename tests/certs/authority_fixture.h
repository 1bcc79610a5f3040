// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_CERTS_AUTHORITY_FIXTURE_H_
#define HILUM_TESTS_CERTS_AUTHORITY_FIXTURE_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "certs/authority.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/crypto/certificate.h"

namespace hilum {

// Has an authority, and a folder of its own for files.
class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest()
      : folder_(absl::StrCat(testing::TempDir(), "/certs-", getpid())),
        now_(RealClock().Now()),
        authority_(MakeAuthority("lungs", now_).value()) {
    std::filesystem::create_directories(folder_);
  }
  ~AuthorityTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text,
                    uint32_t mode = 0644) {
    const std::string path = absl::StrCat(folder_, "/", name);
    EXPECT_TRUE(WriteFileAtomically(path, text, Durability::kNone, mode).ok());
    return path;
  }

  // Loads the certificate as a process with this role does.
  absl::StatusOr<Identity> Load(const Authority& authority,
                                const std::string& certificate,
                                const std::string& key, Role role) {
    return LoadIdentity(Write("ca.crt", authority.certificate_pem),
                        Write("own.crt", certificate),
                        Write("own.key", key, 0600), role, now_);
  }

  const std::string folder_;
  const absl::Time now_;
  const Authority authority_;
};

}  // namespace hilum

#endif  // HILUM_TESTS_CERTS_AUTHORITY_FIXTURE_H_
