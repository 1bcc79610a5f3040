// SPDX-License-Identifier: Apache-2.0
#include "common/cli/program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/base/ids.h"
#include "common/base/nearest.h"
#include "common/cli/usage.h"

namespace hilum {
namespace {

std::string ExampleText(const std::vector<std::string>& examples) {
  if (examples.size() == 1) return absl::StrCat("Example: ", examples[0]);
  return absl::StrCat("Examples:\n  ", absl::StrJoin(examples, "\n  "));
}

// Returns the parsed apps, from the program down to the last subcommand.
std::vector<const CLI::App*> ParsedChain(const CLI::App& program) {
  std::vector<const CLI::App*> chain = {&program};
  for (;;) {
    const std::vector<CLI::App*> parsed = chain.back()->get_subcommands();
    if (parsed.empty()) return chain;
    chain.push_back(parsed.back());
  }
}

std::string PathOf(const std::vector<const CLI::App*>& chain) {
  return absl::StrJoin(chain, " ", [](std::string* out, const CLI::App* app) {
    absl::StrAppend(out, app->get_name());
  });
}

std::vector<CLI::App*> AllCommands(CLI::App& app) {
  return app.get_subcommands([](CLI::App*) { return true; });
}

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command :
       app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> OptionsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back(absl::StrCat("--", name));
    }
  }
  return names;
}

std::string DidYouMean(absl::string_view typed,
                       const std::vector<std::string>& known) {
  const std::string nearest = NearestName(typed, known);
  return nearest.empty() ? "" : absl::StrCat("; did you mean '", nearest, "'?");
}

bool IsOption(absl::string_view word) {
  return absl::StartsWith(word, "-") && word != "--" && word != "-";
}

// `app`: the app that did not accept the word.
std::string NoOption(const std::string& word, const CLI::App& app,
                     const CLI::App& last) {
  // "--option=value" is about the option.
  const std::string option = word.substr(0, word.find('='));
  std::string hint = DidYouMean(option, OptionsOf(app));
  if (hint.empty()) hint = DidYouMean(option, OptionsOf(last));
  return absl::StrCat("no option '", absl::Utf8SafeCHexEscape(option), "'",
                      hint);
}

std::string NoCommand(const std::string& word,
                      const std::vector<std::string>& commands) {
  const std::string hint = DidYouMean(word, commands);
  return absl::StrCat(
      "no command '", absl::Utf8SafeCHexEscape(word), "'",
      hint.empty() ? absl::StrCat("; there are ", absl::StrJoin(commands, ", "))
                   : hint);
}

// Describes the first typed word that no app accepts; nothing where there is
// none.
std::optional<std::string> UnknownWord(
    const std::vector<const CLI::App*>& chain) {
  const std::vector<std::string> commands = CommandsOf(*chain.back());
  std::optional<std::string> extra;
  // In the order typed: each subcommand returns the words it did not take.
  for (auto app = chain.rbegin(); app != chain.rend(); ++app) {
    for (const std::string& word : (*app)->remaining()) {
      if (IsOption(word)) return NoOption(word, **app, *chain.back());
      // Words behind an unknown command belong to that command.
      if (!commands.empty()) return NoCommand(word, commands);
      if (!extra.has_value()) extra = word;
    }
  }
  if (!extra.has_value()) return std::nullopt;
  return absl::StrCat("'", absl::Utf8SafeCHexEscape(*extra),
                      "' is one argument too many");
}

std::string UsageMessage(const CLI::App& program, const CLI::Error& error) {
  const std::vector<const CLI::App*> chain = ParsedChain(program);
  std::string message = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr ||
      dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const std::vector<std::string> commands = CommandsOf(*chain.back());
    if (const auto unknown = UnknownWord(chain); unknown.has_value()) {
      message = *unknown;
    } else if (!commands.empty()) {
      message =
          absl::StrCat("a command is missing: ", absl::StrJoin(commands, ", "));
    }
  }
  return absl::StrCat(message, "\nSee ", PathOf(chain), " --help");
}

// Returns the fault of a whole number for CLI11, or "". CLI11's own parser
// takes -1 for 2^64 - 1, a leading 0 for octal, and 2^64 for 2^64 - 1.
std::string NumberFault(const std::string& text, bool is_signed) {
  absl::string_view digits = text;
  if (is_signed) absl::ConsumePrefix(&digits, "-");
  const bool all_digits =
      !digits.empty() &&
      std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit);
  uint64_t unsigned_value = 0;
  int64_t signed_value = 0;
  const bool fits = is_signed ? absl::SimpleAtoi(text, &signed_value)
                              : absl::SimpleAtoi(text, &unsigned_value);
  if (all_digits && fits && (digits.size() == 1 || digits[0] != '0')) return "";
  return absl::StrCat("'", absl::Utf8SafeCHexEscape(text),
                      "' must be a whole number in decimal digits",
                      is_signed ? "" : ", 0 or more");
}

// Makes each option for a whole number refuse other text.
void CheckNumbers(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const std::string type = option->get_type_name();
    const bool is_unsigned = absl::StrContains(type, "UINT");
    if (!is_unsigned && !absl::StrContains(type, "INT")) continue;
    option->check([is_signed = !is_unsigned](const std::string& text) {
      return NumberFault(text, is_signed);
    });
  }
  for (CLI::App* command : AllCommands(app)) CheckNumbers(*command);
}

}  // namespace

Program::Program(absl::string_view name, absl::string_view what,
                 const std::vector<std::string>& examples)
    : name_(name), app_(std::make_unique<CLI::App>(std::string(what), name_)) {
  app_->set_version_flag("--version",
                         absl::StrCat(name, " ", SoftwareVersion()),
                         "Show the version");
  app_->set_help_flag("-h,--help", "Show this help");
  app_->footer(ExampleText(examples));
  app_->require_subcommand(1);
}

Program::~Program() = default;

int Program::Fail(int exit_status, absl::string_view message) const {
  std::cout.flush();
  std::cerr << name_ << ": " << message << std::endl;
  return exit_status;
}

int Program::Run(int argc, char** argv, const Action& before) {
  CheckNumbers(*app_);
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      return Fail(2, UsageMessage(*app_, error));
    }
    return app_->exit(error);  // writes the help or the version
  }
  absl::Status status = before ? before() : absl::OkStatus();
  if (status.ok()) status = action_();
  if (status.ok()) return 0;
  if (!IsUsageError(status)) return Fail(1, status.message());
  return Fail(2, absl::StrCat(status.message(), "\nSee ",
                              PathOf(ParsedChain(*app_)), " --help"));
}

std::string ShellLine(const std::vector<std::string>& words) {
  return absl::StrJoin(
      words, " ", [](std::string* out, const std::string& word) {
        const bool plain =
            !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
              return absl::ascii_isalnum(c) ||
                     absl::StrContains("-_./:,=+@%", c);
            });
        absl::StrAppend(
            out,
            plain ? word
                  : absl::StrCat(
                        "'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'"));
      });
}

}  // namespace hilum
