// SPDX-License-Identifier: Apache-2.0
#include "common/base/patient_id.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace hilum {
namespace {

// Blanks beyond ASCII, in UTF-8.
constexpr absl::string_view kBlanks[] = {"\xc2\xa0", "\xe3\x80\x80",
                                         "\xe2\x80\x8b", "\xef\xbb\xbf"};

// Returns the length of the blank at the front of `text`; 0: there is none.
size_t BlankAtFront(absl::string_view text) {
  if (text.empty()) return 0;
  if (text[0] == '\0' || absl::ascii_isspace(text[0])) return 1;
  for (absl::string_view blank : kBlanks) {
    if (absl::StartsWith(text, blank)) return blank.size();
  }
  return 0;
}

size_t BlankAtEnd(absl::string_view text) {
  if (text.empty()) return 0;
  if (text.back() == '\0' || absl::ascii_isspace(text.back())) return 1;
  for (absl::string_view blank : kBlanks) {
    if (absl::EndsWith(text, blank)) return blank.size();
  }
  return 0;
}

// A combining accent (U+0300 to U+036F, UTF-8) and its composed characters: in
// `pairs` each letter is followed by the composed character, of two or three
// bytes.
struct Accent {
  absl::string_view mark;
  absl::string_view pairs;
};

// Source: Unicode Character Database, canonical decompositions of Latin-1
// Supplement, Latin Extended-A and Latin Extended-B's letters with a comma.
constexpr Accent kAccents[] = {
    {"\xcc\x80", "AÀEÈIÌNǸOÒUÙaàeèiìnǹoòuù"},
    {"\xcc\x81", "AÁCĆEÉIÍLĹNŃOÓRŔSŚUÚYÝZŹaácćeéiílĺnńoórŕsśuúyýzź"},
    {"\xcc\x82", "AÂCĈEÊGĜHĤIÎJĴOÔSŜUÛWŴYŶaâcĉeêgĝhĥiîjĵoôsŝuûwŵyŷ"},
    {"\xcc\x83", "AÃIĨNÑOÕUŨaãiĩnñoõuũ"},
    {"\xcc\x84", "AĀEĒIĪOŌUŪaāeēiīoōuū"},
    {"\xcc\x86", "AĂEĔGĞIĬOŎUŬaăeĕgğiĭoŏuŭ"},
    {"\xcc\x87", "CĊEĖGĠIİZŻcċeėgġzż"},
    {"\xcc\x88", "AÄEËIÏOÖUÜYŸaäeëiïoöuüyÿ"},
    {"\xcc\x8a", "AÅUŮaåuů"},
    {"\xcc\x8b", "OŐUŰoőuű"},
    {"\xcc\x8c", "CČDĎEĚNŇRŘSŠTŤZŽcčdďeěnňrřsštťzž"},
    {"\xcc\xa6", "SȘTȚsștț"},
    {"\xcc\xa7", "CÇGĢKĶLĻNŅRŖSŞTŢcçkķlļnņrŗsştţ"},
    {"\xcc\xa8", "AĄEĘIĮUŲaąeęiįuų"}};

size_t LengthOfCharacter(char first) {
  const auto byte = static_cast<uint8_t>(first);
  if (byte < 0x80) return 1;
  return byte < 0xe0 ? 2 : 3;
}

// Returns the character that composes a letter and the accent at the front of
// `rest`; empty: there is none.
absl::string_view Composed(char letter, absl::string_view rest) {
  for (const Accent& accent : kAccents) {
    if (!absl::StartsWith(rest, accent.mark)) continue;
    for (absl::string_view at = accent.pairs; !at.empty();) {
      const size_t length = LengthOfCharacter(at[1]);
      if (at[0] == letter) return at.substr(1, length);
      at.remove_prefix(1 + length);
    }
  }
  return "";
}

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<uint8_t>(c)); }

// Returns "101" for a number that a spreadsheet wrote as "101.0".
absl::string_view WithoutPointZero(absl::string_view id) {
  const size_t point = id.find('.');
  if (point == absl::string_view::npos || point == 0 || point + 1 == id.size())
    return id;
  const absl::string_view whole = id.substr(0, point);
  const absl::string_view rest = id.substr(point + 1);
  const bool plain = std::all_of(whole.begin(), whole.end(), IsDigit) &&
                     rest.find_first_not_of('0') == absl::string_view::npos;
  return plain ? whole : id;
}

}  // namespace

absl::string_view StripBlanks(absl::string_view text) {
  while (const size_t blank = BlankAtFront(text)) text.remove_prefix(blank);
  while (const size_t blank = BlankAtEnd(text)) text.remove_suffix(blank);
  return text;
}

std::string ComposeLatin(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const absl::string_view made =
        absl::ascii_isalpha(static_cast<uint8_t>(text[i]))
            ? Composed(text[i], text.substr(i + 1))
            : "";
    if (made.empty()) {
      out += text[i];
    } else {
      out.append(made.data(), made.size());
      i += 2;  // the accent
    }
  }
  return out;
}

std::string NormalPatientId(absl::string_view written) {
  return ComposeLatin(StripBlanks(written));
}

std::string PatientIdKey(absl::string_view id) {
  std::string dense;
  for (absl::string_view rest = id; !rest.empty();) {
    const size_t blank = BlankAtFront(rest);
    if (blank == 0) dense += absl::ascii_tolower(rest[0]);
    rest.remove_prefix(std::max<size_t>(blank, 1));
  }
  const absl::string_view number = WithoutPointZero(dense);
  std::string key;
  for (size_t i = 0; i < number.size(); ++i) {
    const bool starts = i == 0 || !IsDigit(number[i - 1]);
    if (starts) {
      while (i + 1 < number.size() && number[i] == '0' &&
             IsDigit(number[i + 1])) {
        ++i;
      }
    }
    key += number[i];
  }
  return key;
}

std::vector<SimilarIds> FindSimilarIds(
    absl::Span<const absl::string_view> ids) {
  std::map<std::string, size_t> first;
  std::set<absl::string_view> seen;
  std::vector<SimilarIds> similar;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!seen.insert(ids[i]).second) continue;
    const auto [at, is_new] = first.emplace(PatientIdKey(ids[i]), i);
    if (!is_new) similar.push_back({at->second, i});
  }
  return similar;
}

}  // namespace hilum
