// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/site_words.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr char kNote[] = "film_words";
constexpr uint64_t kMaxListBytes = 1 << 20;

absl::StatusOr<FilmWords> Parse(const std::string& list,
                                const std::string& where) {
  absl::StatusOr<FilmWords> words = FilmWords::WithSiteList(list);
  if (words.ok()) return words;
  return absl::Status(words.status().code(),
                      absl::StrCat(where, ": ", words.status().message()));
}

}  // namespace

absl::StatusOr<FilmWords> ReadSiteWords(const std::string& path) {
  if (path.empty()) return FilmWords::BuiltIn();
  HILUM_ASSIGN_OR_RETURN(const std::string list, ReadFile(path, kMaxListBytes));
  return Parse(list, path);
}

absl::StatusOr<FilmWords> SiteWordsOfStore(const std::string& path,
                                           CaseDatabase& database) {
  if (path.empty()) {
    HILUM_ASSIGN_OR_RETURN(const std::string kept, database.Note(kNote));
    return Parse(kept, "the store's words");
  }
  HILUM_ASSIGN_OR_RETURN(const std::string list, ReadFile(path, kMaxListBytes));
  HILUM_ASSIGN_OR_RETURN(FilmWords words, Parse(list, path));
  HILUM_RETURN_IF_ERROR(database.SetNote(kNote, list));
  return words;
}

}  // namespace hilum
