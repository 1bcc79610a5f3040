// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/film_words.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

// Base letters of U+00C0 to U+017F; '*' stands for two letters, '.' for a sign
// that is no letter.
constexpr char kBase[] =
    "AAAAAA*CEEEEIIII"  // C0
    "DNOOOOO.OUUUUY.*"  // D0
    "AAAAAA*CEEEEIIII"  // E0
    "DNOOOOO.OUUUUY.Y"  // F0
    "AAAAAACCCCCCCCDD"  // 100
    "DDEEEEEEEEEEGGGG"  // 110
    "GGGGHHHHIIIIIIII"  // 120
    "II**JJKKKLLLLLLL"  // 130
    "LLLNNNNNNNNNOOOO"  // 140
    "OO**RRRRRRSSSSSS"  // 150
    "SSTTTTTTUUUUUUUU"  // 160
    "UUUUWWYYYZZZZZZS";

// Returns the two letters for a '*' of kBase; "": none.
absl::string_view PairFor(uint32_t letter) {
  switch (letter) {
    case 0xc6:
    case 0xe6:
      return "AE";
    case 0xdf:
      return "SS";
    case 0x132:
    case 0x133:
      return "IJ";
    case 0x152:
    case 0x153:
      return "OE";
  }
  return "";
}

// Returns the letter in capitals without its mark; "": not a letter or digit.
std::string Folded(uint32_t letter) {
  if (letter < 0x80) {
    const char c = static_cast<char>(letter);
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) return "";
    return std::string(1, absl::ascii_toupper(static_cast<unsigned char>(c)));
  }
  if (letter < 0xc0 || letter > 0x17f) return "";
  const char base = kBase[letter - 0xc0];
  if (base == '*') return std::string(PairFor(letter));
  return base == '.' ? "" : std::string(1, base);
}

// Reads one UTF-8 character (RFC 3629) of at most three bytes; nullopt: none.
std::optional<uint32_t> ReadUtf8(absl::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(at);
  if (first < 0x80) return text[at++];
  const size_t length = first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 0;
  if (length == 0 || text.size() - at < length) return std::nullopt;
  uint32_t letter = first & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if (byte(at + i) >> 6 != 2) return std::nullopt;
    letter = letter << 6 | (byte(at + i) & 0x3f);
  }
  at += length;
  return letter;
}

std::vector<uint32_t> Letters(absl::string_view text) {
  std::vector<uint32_t> letters;
  for (size_t at = 0; at < text.size();) {
    const std::optional<uint32_t> letter = ReadUtf8(text, at);
    if (letter.has_value()) {
      letters.push_back(*letter);
      continue;
    }
    // Not UTF-8: reads every byte as Latin-1.
    letters.clear();
    for (char c : text) letters.push_back(static_cast<uint8_t>(c));
    break;
  }
  return letters;
}

// A word and the text between it and the previous word.
struct Token {
  std::string word;
  std::string gap;
};

std::vector<Token> Tokens(absl::string_view text) {
  std::vector<Token> tokens(1);
  for (uint32_t letter : Letters(text)) {
    if (letter >= 0x300 && letter <= 0x36f) continue;  // a combining mark
    const std::string folded = Folded(letter);
    if (!folded.empty()) {
      tokens.back().word += folded;
      continue;
    }
    if (!tokens.back().word.empty()) tokens.emplace_back();
    tokens.back().gap += letter < 0x80 ? static_cast<char>(letter) : '?';
  }
  if (tokens.back().word.empty()) tokens.pop_back();
  return tokens;
}

bool IsAbbreviation(const Token& first, const Token& second) {
  if (first.word.size() != 1 || second.word.size() != 1) return false;
  const std::string both = first.word + second.word;
  const bool projection = both == "AP" || both == "PA" || both == "LL" ||
                          both == "DV" || both == "VD";
  return projection && (second.gap == "." || second.gap == ". " ||
                        second.gap == "-" || second.gap == "/");
}

struct BuiltInLine {
  FilmWord meaning;
  const char* phrases;
};

// Leaves out adjectives such as "thoracique": they are used for the spine, too.
constexpr BuiltInLine kBuiltIn[] = {
    {FilmWord::kChest,
     "chest,thorax,lung,lungs,cxr,pcxr,"
     "lunge,lungen,brustkorb,thoraxaufnahme,thoraxübersicht,thoraxuebersicht,"
     "bettlunge,bettthorax,torax,pulmon,pulmones,torace,polmone,polmoni,"
     "poumon,poumons,pulmonaire,pulmao,pulmoes"},
    {FilmWord::kMore,
     "abdomen,pelvis,babygram,bauch,becken,bassin,addome,bacino,abdome"},
    {FilmWord::kAp,
     "ap,anteroposterior,antero posterior,anteroposteriore,"
     "antero posteriore,anteroposterieur,antero posterieur,"
     "anteroposterieure,antero posterieure,ventrodorsal,ventro dorsal,vd"},
    {FilmWord::kPa,
     "pa,posteroanterior,postero anterior,posteroanteriore,"
     "postero anteriore,posteroanterieur,postero anterieur,"
     "posteroanterieure,postero anterieure,dorsoventral,dorso ventral,dv"},
    {FilmWord::kBedside,
     "portable,mobile,bedside,pcxr,supine,"
     "liegend,liegende,im liegen,liegendaufnahme,bett,bettaufnahme,"
     "bettlunge,bettthorax,fahrbar,portatil,portatile,supino,supina,"
     "decubito supino,decubito dorsal,decubito dorsale,a letto,allettato,"
     "decubitus dorsal,au lit,couche,couchee,no leito,deitado"},
    {FilmWord::kOther,
     "lat,lateral,laterals,ll,rl,llat,rlat,obl,oblique,lao,rao,lpo,rpo,llo,"
     "rlo,decub,decubitus,ldec,rdec,lordotic,tangential,"
     "seitlich,seitl,seitenaufnahme,schräg,schraeg,lordotisch,"
     "perfil,oblicua,oblicuo,decubito,lordotica,laterale,latero laterale,"
     "laterolaterale,profilo,obliqua,obliquo,profil,lordotique"},
};

std::optional<FilmWord> MeaningOf(absl::string_view name) {
  constexpr std::pair<const char*, FilmWord> kNames[] = {
      {"chest", FilmWord::kChest},     {"more", FilmWord::kMore},
      {"ap", FilmWord::kAp},           {"pa", FilmWord::kPa},
      {"bedside", FilmWord::kBedside}, {"other", FilmWord::kOther}};
  for (const auto& [known, meaning] : kNames) {
    if (name == known) return meaning;
  }
  return std::nullopt;
}

}  // namespace

Words WordsIn(absl::string_view text) {
  const std::vector<Token> tokens = Tokens(text);
  Words words;
  for (size_t i = 0; i < tokens.size(); ++i) {
    words.push_back(tokens[i].word);
    if (i + 1 < tokens.size() && IsAbbreviation(tokens[i], tokens[i + 1])) {
      words.back() += tokens[++i].word;
    }
  }
  return words;
}

void FilmWords::Add(FilmWord meaning, absl::string_view phrases) {
  for (absl::string_view phrase : absl::StrSplit(phrases, ',')) {
    Words words = WordsIn(phrase);
    if (!words.empty()) phrases_.push_back({std::move(words), meaning});
  }
}

const FilmWords& FilmWords::BuiltIn() {
  static const FilmWords* const kWords = [] {
    auto* words = new FilmWords;
    for (const BuiltInLine& line : kBuiltIn) {
      words->Add(line.meaning, line.phrases);
    }
    return words;
  }();
  return *kWords;
}

absl::StatusOr<FilmWords> FilmWords::WithSiteList(absl::string_view list) {
  FilmWords words = BuiltIn();
  int number = 0;
  for (absl::string_view raw : absl::StrSplit(list, '\n')) {
    ++number;
    const absl::string_view line =
        absl::StripAsciiWhitespace(raw.substr(0, raw.find('#')));
    if (line.empty()) continue;
    const size_t colon = line.find(':');
    const std::optional<FilmWord> meaning = MeaningOf(absl::AsciiStrToLower(
        absl::StripAsciiWhitespace(line.substr(0, colon))));
    if (!meaning.has_value() || colon == absl::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          "line ", number, " begins with none of chest:, more:, ap:, pa:, ",
          "bedside:, other:"));
    }
    words.Add(*meaning, line.substr(colon + 1));
  }
  return words;
}

const FilmWords::Phrase* FilmWords::LongestAt(const Words& words,
                                              size_t at) const {
  const Phrase* longest = nullptr;
  for (const Phrase& phrase : phrases_) {
    if (phrase.words.size() > words.size() - at) continue;
    if (!std::equal(phrase.words.begin(), phrase.words.end(),
                    words.begin() + static_cast<std::ptrdiff_t>(at))) {
      continue;
    }
    if (longest == nullptr || phrase.words.size() > longest->words.size()) {
      longest = &phrase;
    }
  }
  return longest;
}

bool FilmWords::Has(const Words& words, FilmWord meaning) const {
  for (size_t at = 0; at < words.size();) {
    const Phrase* longest = LongestAt(words, at);
    if (longest == nullptr) {
      ++at;
      continue;
    }
    const auto same = [&](const Phrase& phrase) {
      return phrase.meaning == meaning && phrase.words == longest->words;
    };
    if (std::any_of(phrases_.begin(), phrases_.end(), same)) return true;
    at += longest->words.size();
  }
  return false;
}

std::string FilmWords::Fingerprint() const {
  Sha256 sha;
  for (const Phrase& phrase : phrases_) {
    sha.Update(absl::StrCat(static_cast<int>(phrase.meaning), ":",
                            absl::StrJoin(phrase.words, " "), "\n"));
  }
  return ToHex(sha.Finish());
}

}  // namespace hilum
