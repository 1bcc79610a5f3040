// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/pseudonyms.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

class PseudonymsTest : public ::testing::Test {
 protected:
  ~PseudonymsTest() override { unlink(path_.c_str()); }

  Pseudonyms Make() {
    return Pseudonyms::FromKeyFile(path_, RealSecureRng()).value();
  }

  const std::string path_ =
      absl::StrCat(::testing::TempDir(), "/pseudonyms-", getpid());
};

TEST_F(PseudonymsTest, OneKeyFileGivesTheSameNames) {
  const std::string name = Make().Patient("", "P001");
  EXPECT_EQ(name.size(), 32u);
  EXPECT_EQ(Make().Patient("", "P001"), name);
  EXPECT_EQ(Make().Patient("", ""), "");
  unlink(path_.c_str());
  EXPECT_NE(Make().Patient("", "P001"), name);
}

TEST_F(PseudonymsTest, APatientIsKnownWithoutTheBlanksAroundTheId) {
  const Pseudonyms pseudonyms = Make();
  const std::string name = pseudonyms.Patient("HOSP", "M\xc3\xbcller");
  for (const char* id :
       {"M\xc3\xbcller ", " Mu\xcc\x88ller", "M\xc3\xbcller\xc2\xa0"}) {
    EXPECT_EQ(pseudonyms.Patient(" HOSP", id), name) << id;
  }
  EXPECT_NE(pseudonyms.Patient("HOSP", "m\xc3\xbcller"), name);
  EXPECT_EQ(pseudonyms.Patient("HOSP", " \xc2\xa0"), "");
}

TEST_F(PseudonymsTest, IssuerAndIdAreKeptApart) {
  const Pseudonyms pseudonyms = Make();
  EXPECT_NE(pseudonyms.Patient("A", "BC"), pseudonyms.Patient("AB", "C"));
}

TEST_F(PseudonymsTest, ADamagedKeyIsRefused) {
  ASSERT_TRUE(
      WriteFileAtomically(path_, "short\n", Durability::kNone, 0600).ok());
  EXPECT_THAT(
      std::string(
          Pseudonyms::FromKeyFile(path_, RealSecureRng()).status().message()),
      ::testing::HasSubstr("64 hexadecimal digits"));
}

}  // namespace
}  // namespace hilum
