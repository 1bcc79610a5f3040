// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_SITE_WORDS_H_
#define HILUM_SITE_AGENT_INGEST_SITE_WORDS_H_

#include <string>

#include "absl/status/statusor.h"
#include "site_agent/imaging/dicom/film_words.h"
#include "site_agent/ingest/case_database.h"

namespace hilum {

// Reads a site's own list of words (FilmWords::WithSiteList); without a path
// returns the built-in words. INVALID_ARGUMENT: a wrong line, with file and
// number. Otherwise errors as ReadFile.
absl::StatusOr<FilmWords> ReadSiteWords(const std::string& path);

// Reads the list and keeps it in the store; without a path returns the store's
// list.
absl::StatusOr<FilmWords> SiteWordsOfStore(const std::string& path,
                                           CaseDatabase& database);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_SITE_WORDS_H_
