// SPDX-License-Identifier: Apache-2.0
#include "tests/docs/page.h"

#include <regex>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace hilum {
namespace {

// Whether the test knows how to run a command that begins with `word`.
bool IsKnown(const std::string& word) {
  static const std::set<std::string> known = {
      "./dev",        "hilum-certs", "hilum-coordinator",
      "hilum-site",   "hilum-sim",   "hilum-trainer",
      "hilum-ingest", "export",      "mkdir",
      "cp",           "cat",         "for",
      "done",         "until",       "kill"};
  static const std::regex assignment("[A-Z_]+=.*");
  return known.contains(word) || std::regex_match(word, assignment);
}

// Reads the lines of one page in order. One object is one page.
class PageReader {
 public:
  void Read(const std::string& line) {
    ++number_;
    std::string typed;
    if (absl::StartsWith(line, "```")) {
      ReadFence(line.substr(3));
    } else if (is_shell_) {
      typed = ReadCommand(line);
    }
    absl::StrAppend(&page_.script, typed, "\n");
  }
  PageCommands Take() { return std::move(page_); }

 private:
  void Fault(absl::string_view what) {
    page_.faults.push_back(absl::StrCat(number_, ": ", what));
  }

  void ReadFence(const std::string& language) {
    if (!is_fenced_ && language.empty()) {
      Fault("a fence without a language; write ```sh where it is commands");
    }
    is_fenced_ = !is_fenced_;
    is_shell_ = is_fenced_ && language == "sh";
  }

  // Returns the script's line for this line of the page.
  std::string ReadCommand(const std::string& line) {
    const std::string words(absl::StripAsciiWhitespace(line));
    if (!document_end_.empty()) {  // the text of a file
      if (words == document_end_) document_end_.clear();
      return line;
    }
    static const std::regex document("<<'?([A-Z]+)'?$");
    std::smatch match;
    if (std::regex_search(line, match, document)) document_end_ = match[1];
    const bool continues_last = std::exchange(continues_, false);
    continues_ = absl::EndsWith(line, "\\");
    if (continues_last || words.empty() || words[0] == '#') return line;
    const std::vector<std::string> split =
        absl::StrSplit(words, ' ', absl::SkipEmpty());
    if (!IsKnown(split[0])) Fault(absl::StrCat("unknown command ", split[0]));
    if (split[0] != "./dev") return line;
    page_.dev_commands.push_back(split.size() > 1 ? split[1] : "");
    return ":";
  }

  PageCommands page_;
  int number_ = 0;
  bool is_fenced_ = false, is_shell_ = false, continues_ = false;
  std::string document_end_;  // empty: no here-document is open
};

}  // namespace

PageCommands CommandsOf(const std::string& text) {
  PageReader reader;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    reader.Read(std::string(line));
  }
  return reader.Take();
}

}  // namespace hilum
