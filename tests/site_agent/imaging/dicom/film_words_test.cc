// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/film_words.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FilmWordsTest, WordsLoseTheirMarksInEveryEncoding) {
  EXPECT_THAT(WordsIn("T\xc3\x93RAX port\xc3\xa1til"),  // UTF-8
              ElementsAre("TORAX", "PORTATIL"));
  EXPECT_THAT(WordsIn("T\xd3RAX port\xe1til"),  // Latin-1
              ElementsAre("TORAX", "PORTATIL"));
  EXPECT_THAT(WordsIn("TO\xcc\x81RAX"), ElementsAre("TORAX"));  // decomposed
  EXPECT_THAT(WordsIn("Thorax\xc3\xbc"
                      "bersicht Stra\xc3\x9f"
                      "e"),
              ElementsAre("THORAXUBERSICHT", "STRASSE"));
  EXPECT_THAT(WordsIn("pulm\xc3\xa3o, c\xc5\x93ur"),
              ElementsAre("PULMAO", "COEUR"));
}

TEST(FilmWordsTest, AbbreviatedProjectionsAreOneWord) {
  EXPECT_THAT(WordsIn("Thorax a.p. liegend"),
              ElementsAre("THORAX", "AP", "LIEGEND"));
  EXPECT_THAT(WordsIn("p. a."), ElementsAre("PA"));
  EXPECT_THAT(WordsIn("A-P"), ElementsAre("AP"));
  EXPECT_THAT(WordsIn("a.p./p.a."), ElementsAre("AP", "PA"));
  EXPECT_THAT(WordsIn("d.v. l.l."), ElementsAre("DV", "LL"));
  // Neither a projection nor an abbreviation.
  EXPECT_THAT(WordsIn("A P"), ElementsAre("A", "P"));
  EXPECT_THAT(WordsIn("z.B. a"), ElementsAre("Z", "B", "A"));
}

TEST(FilmWordsTest, ALongerPhraseGoesBeforeAWordInIt) {
  const FilmWords& words = FilmWords::BuiltIn();
  const Words supine = WordsIn("decubito supino");
  EXPECT_TRUE(words.Has(supine, FilmWord::kBedside));
  EXPECT_FALSE(words.Has(supine, FilmWord::kOther));
  EXPECT_TRUE(words.Has(WordsIn("decubito lateral"), FilmWord::kOther));
  // In English this is a lateral view of a patient lying down.
  EXPECT_TRUE(words.Has(WordsIn("dorsal decubitus"), FilmWord::kOther));
}

TEST(FilmWordsTest, ASiteAddsItsOwn) {
  auto words = FilmWords::WithSiteList(
      "# ours\n"
      "chest: Herz-Lunge, HL\n"
      "\n"
      "AP: Intensiv  # always in bed\r\n"
      "other: schief\n");
  ASSERT_TRUE(words.ok()) << words.status();
  EXPECT_TRUE(words->Has(WordsIn("herz lunge"), FilmWord::kChest));
  EXPECT_TRUE(words->Has(WordsIn("hl"), FilmWord::kChest));
  EXPECT_TRUE(words->Has(WordsIn("INTENSIV"), FilmWord::kAp));
  EXPECT_TRUE(words->Has(WordsIn("schief"), FilmWord::kOther));
  EXPECT_TRUE(words->Has(WordsIn("chest"), FilmWord::kChest));
  EXPECT_NE(words->Fingerprint(), FilmWords::BuiltIn().Fingerprint());
  EXPECT_EQ(FilmWords::WithSiteList("")->Fingerprint(),
            FilmWords::BuiltIn().Fingerprint());
}

TEST(FilmWordsTest, AWrongLineIsNamed) {
  for (const char* list : {"chest: a\nthorax: b", "chest: a\nap", "\n: b"}) {
    EXPECT_THAT(std::string(FilmWords::WithSiteList(list).status().message()),
                HasSubstr("line 2"))
        << list;
  }
}

}  // namespace
}  // namespace hilum
