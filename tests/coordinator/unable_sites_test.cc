// SPDX-License-Identifier: Apache-2.0
#include "coordinator/unable_sites.h"

#include <gtest/gtest.h>

#include <set>

namespace hilum {
namespace {

TEST(UnableSitesTest, EachReasonHasItsOwnWordsAndAnUnknownOneNone) {
  std::set<std::string> words;
  for (int reason = 0; reason < v1::UnableReason_ARRAYSIZE; ++reason) {
    words.insert(WordsOf(static_cast<v1::UnableReason>(reason)));
  }
  EXPECT_EQ(words.size(), static_cast<size_t>(v1::UnableReason_ARRAYSIZE));
  EXPECT_EQ(WordsOf(static_cast<v1::UnableReason>(99)),
            WordsOf(v1::UNABLE_REASON_UNSPECIFIED));
}

TEST(UnableSitesTest, EverySiteStandsWithItsReason) {
  v1::StudyStatus status;
  EXPECT_EQ(UnableText(status), "");
  for (const char* site : {"a", "b"}) {
    v1::UnableSite& unable = *status.add_unable();
    unable.set_site(site);
    unable.set_reason("why");
  }
  EXPECT_EQ(UnableText(status), "a: why; b: why");
}

}  // namespace
}  // namespace hilum
