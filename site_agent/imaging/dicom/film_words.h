// SPDX-License-Identifier: Apache-2.0
// The words by which hospitals say what a radiograph shows.
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_FILM_WORDS_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_FILM_WORDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Runs of letters and digits in capitals. Letters with marks lose these ("É" is
// "E", "ß" is "SS"), in UTF-8 or, where the bytes are no UTF-8, Latin-1.
// Abbreviated projections become one word: "a.p.", "a. p.", "A-P", "A/P" are
// "AP", and so for PA, LL, DV and VD.
using Words = std::vector<std::string>;
Words WordsIn(absl::string_view text);

// One meaning of a word, or of several in a row.
enum class FilmWord {
  kChest,    // the chest
  kMore,     // more of the body than the chest
  kAp,       // the view, from front to back
  kPa,       // from back to front
  kBedside,  // taken in bed, so AP where nothing else says the view
  kOther,    // a view that is neither: lateral, oblique, decubitus
};

// Phrases and their meanings. Thread-safe once made.
class FilmWords {
 public:
  // English, German, Spanish, Italian, French and Portuguese.
  static const FilmWords& BuiltIn();

  // BuiltIn and those of a site's own list, a line each: `chest`, `more`, `ap`,
  // `pa`, `bedside` or `other`, a colon, phrases with commas between. Empty
  // lines and what follows `#` do not count. INVALID_ARGUMENT: another line,
  // with its number.
  static absl::StatusOr<FilmWords> WithSiteList(absl::string_view list);

  // Whether the words have a phrase of that meaning. A phrase within a longer
  // one does not count: "decubito supino" is kBedside, not kOther.
  bool Has(const Words& words, FilmWord meaning) const;

  // Differs where the phrases do: 64 hexadecimal digits.
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
