// SPDX-License-Identifier: Apache-2.0
// Words with which hospitals describe a radiograph.
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_FILM_WORDS_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_FILM_WORDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Runs of letters and digits in capitals. Letters lose their marks ("É" is "E",
// "ß" is "SS"), in UTF-8 or, if the bytes are not UTF-8, in Latin-1.
// Abbreviated projections become one word: "a.p.", "a. p.", "A-P", "A/P" are
// "AP"; the same for PA, LL, DV and VD.
using Words = std::vector<std::string>;
Words WordsIn(absl::string_view text);

// The meaning of a word or phrase.
enum class FilmWord {
  kChest,    // the chest
  kMore,     // more of the body than the chest
  kAp,       // the view: front to back
  kPa,       // from back to front
  kBedside,  // taken in bed; AP if no word gives the view
  kOther,    // another view: lateral, oblique, decubitus
};

// Phrases and their meanings. Thread-safe after construction.
class FilmWords {
 public:
  // English, German, Spanish, Italian, French and Portuguese.
  static const FilmWords& BuiltIn();

  // Adds a site's own list to BuiltIn. A line: `chest`, `more`, `ap`, `pa`,
  // `bedside` or `other`, a colon, phrases with commas between. Ignores empty
  // lines, and text after `#`. INVALID_ARGUMENT: another line, with its number.
  static absl::StatusOr<FilmWords> WithSiteList(absl::string_view list);

  // Returns whether the words contain a phrase of that meaning. Ignores a
  // phrase within a longer one: "decubito supino" is kBedside, not kOther.
  bool Has(const Words& words, FilmWord meaning) const;

  // Returns 64 hexadecimal digits that differ if the phrases do.
  std::string Fingerprint() const;

 private:
  struct Phrase {
    Words words;
    FilmWord meaning;
  };
  void Add(FilmWord meaning, absl::string_view phrases);
  const Phrase* LongestAt(const Words& words, size_t at) const;

  std::vector<Phrase> phrases_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_FILM_WORDS_H_
