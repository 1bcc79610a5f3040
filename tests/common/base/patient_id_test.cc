// SPDX-License-Identifier: Apache-2.0
#include "common/base/patient_id.h"

#include "gtest/gtest.h"

namespace hilum {
namespace {

TEST(PatientIdTest, BlanksAroundAnIdAreNoPartOfIt) {
  for (const char* written :
       {"P001", "P001 ", " P001", "\tP001\r", "P001\xc2\xa0",
        "\xef\xbb\xbfP001", "\xe3\x80\x80P001\xe2\x80\x8b"}) {
    EXPECT_EQ(NormalPatientId(written), "P001") << written;
  }
  EXPECT_EQ(NormalPatientId(absl::string_view("P001\0", 5)), "P001");
  EXPECT_EQ(NormalPatientId("P 001"), "P 001");
  EXPECT_EQ(NormalPatientId(" \xc2\xa0 "), "");
  // The second byte of another character is not a blank.
  EXPECT_EQ(NormalPatientId("\xc3\xa0"), "\xc3\xa0");
}

TEST(PatientIdTest, AnAccentIsTheSameBothWays) {
  EXPECT_EQ(NormalPatientId("Mu\xcc\x88ller"), "M\xc3\xbcller");
  EXPECT_EQ(NormalPatientId("M\xc3\xbcller"), "M\xc3\xbcller");
  EXPECT_EQ(ComposeLatin("n\xcc\x83S\xcc\xa6"), "\xc3\xb1\xc8\x98");
  // An accent that the letter does not have, one without a letter, a cut one.
  for (const char* other : {"q\xcc\x88", "\xcc\x88x", "u\xcc", "\xff\xfe"}) {
    EXPECT_EQ(ComposeLatin(other), other);
  }
}

TEST(PatientIdTest, TheKeyIsThatOfIdsThatLookAlike) {
  for (const char* alike : {"p1", "P1", "P001", "p 01",
                            "P\xc2\xa0"
                            "0001"}) {
    EXPECT_EQ(PatientIdKey(alike), "p1") << alike;
  }
  EXPECT_EQ(PatientIdKey("101.0"), "101");
  EXPECT_EQ(PatientIdKey("000101.00"), "101");
  EXPECT_EQ(PatientIdKey("0"), "0");
  EXPECT_EQ(PatientIdKey("000"), "0");
  for (const char* other : {"P10", "P2", "1.01", "P1.0", "101.5", ".0", "1."}) {
    EXPECT_NE(PatientIdKey(other), "p1") << other;
    EXPECT_NE(PatientIdKey(other), "101") << other;
  }
}

TEST(PatientIdTest, SimilarIdsAreFoundOnceEach) {
  const std::vector<absl::string_view> ids = {"P001", "P002", "p001", "P001",
                                              "P1",   "p001", "101",  "101.0"};
  const std::vector<SimilarIds> similar = FindSimilarIds(ids);
  ASSERT_EQ(similar.size(), 3u);
  EXPECT_EQ(similar[0].first, 0u);
  EXPECT_EQ(similar[0].second, 2u);
  EXPECT_EQ(similar[1].first, 0u);
  EXPECT_EQ(similar[1].second, 4u);
  EXPECT_EQ(similar[2].first, 6u);
  EXPECT_EQ(similar[2].second, 7u);
}

}  // namespace
}  // namespace hilum
