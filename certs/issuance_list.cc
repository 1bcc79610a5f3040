// SPDX-License-Identifier: Apache-2.0
#include "certs/issuance_list.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/csv.h"
#include "common/base/private_file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr uint64_t kMaxListBytes = 64 << 20;
constexpr absl::string_view kHeader =
    "serial,name,role,key,hosts,not_after,kind";
constexpr size_t kFields = 7;

std::string Line(const IssuedCertificate& c) {
  return absl::StrCat(c.serial, ",", c.name, ",", c.role, ",", c.key, ",",
                      absl::StrJoin(c.hosts, " "), ",", c.not_after, ",",
                      c.kind, "\n");
}

bool IsKind(absl::string_view kind) {
  return kind == "new" || kind == "renewed" || kind == "replaced";
}

absl::StatusOr<std::vector<IssuedCertificate>> Parse(const std::string& text,
                                                     const std::string& path) {
  if (!text.empty() && !absl::EndsWith(text, "\n")) {
    return absl::DataLossError(absl::StrCat(
        path,
        ": its last line is cut off, so its certificate was not given "
        "out; remove that line"));
  }
  std::vector<IssuedCertificate> issued;
  HILUM_ASSIGN_OR_RETURN(auto records, ParseCsv(text));
  for (size_t i = 0; i < records.size(); ++i) {
    const std::vector<std::string>& fields = records[i];
    if (i == 0 && absl::StrJoin(fields, ",") == kHeader) continue;
    if (fields.size() != kFields || fields[1].empty() || fields[3].empty() ||
        (fields[2] != "site" && fields[2] != "coordinator") ||
        !IsKind(fields[6])) {
      return absl::DataLossError(
          absl::StrCat(path, ":", i + 1, ": not a line of the issuance list (",
                       kHeader, "); bring the list back from a backup"));
    }
    issued.push_back(
        {.serial = fields[0],
         .name = fields[1],
         .role = fields[2],
         .key = fields[3],
         .hosts = absl::StrSplit(fields[4], ' ', absl::SkipEmpty()),
         .not_after = fields[5],
         .kind = fields[6]});
  }
  return issued;
}

}  // namespace

absl::Status IssuanceList::Make(const std::string& path) {
  return WriteFileAtomically(path, absl::StrCat(kHeader, "\n"),
                             Durability::kSync, 0600);
}

absl::StatusOr<IssuanceList> IssuanceList::Open(const std::string& path) {
  if (!FileExists(path)) {
    return absl::FailedPreconditionError(absl::StrCat(
        path,
        ": the list of issued certificates is not there; bring it back "
        "from a backup. An authority of an older hilum-certs never had "
        "one: run `install -m 600 /dev/null ",
        path, "`"));
  }
  HILUM_RETURN_IF_ERROR(CheckPrivateFile(path, "the issuance list"));
  IssuanceList list(
      path, ScopedFd(open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC)));
  if (list.file_.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  HILUM_ASSIGN_OR_RETURN(bool locked, TryLock(list.file_.get(), path));
  if (!locked) {
    return absl::UnavailableError(absl::StrCat(
        path, ": another hilum-certs is signing; try again when it is done"));
  }
  HILUM_ASSIGN_OR_RETURN(std::string text, ReadFile(path, kMaxListBytes));
  HILUM_ASSIGN_OR_RETURN(list.issued_, Parse(text, path));
  return list;
}

absl::StatusOr<std::string> IssuanceList::Kind(absl::string_view role,
                                               absl::string_view name,
                                               absl::string_view key,
                                               bool replace) const {
  const IssuedCertificate* last = nullptr;  // for this name
  for (const IssuedCertificate& one : issued_) {
    const bool same_name = one.role == role && one.name == name;
    if (same_name) last = &one;
    if (!same_name && one.key == key) {
      return absl::AlreadyExistsError(
          absl::StrCat("this key was issued to ", one.role, " '", one.name,
                       "' (serial ", one.serial, "); ", role, " '", name,
                       "' makes a key of its own with "
                       "hilum-certs site"));
    }
  }
  if (last != nullptr && last->key == key) {
    if (!replace) return "renewed";
    last = nullptr;
  }
  if (last == nullptr) {
    if (!replace) return "new";
    return absl::InvalidArgumentError(absl::StrCat(
        "--replace: ", role, " '", name, "' has no other key to replace"));
  }
  if (replace) return "replaced";
  return absl::AlreadyExistsError(absl::StrCat(
      role, " '", name, "' was issued another key, ", last->key, " (serial ",
      last->serial, ", valid to ", last->not_after,
      "); ask that member by "
      "telephone whether it made a new key, then sign with --replace"));
}

absl::Status IssuanceList::Append(const IssuedCertificate& certificate) {
  const std::string line = Line(certificate);
  // Writes the line in one call: it is whole, or the last and cut off.
  if (write(file_.get(), line.data(), line.size()) !=
      static_cast<ssize_t>(line.size())) {
    return ErrnoStatus(errno, "cannot append", path_);
  }
  if (fsync(file_.get()) != 0) return ErrnoStatus(errno, "cannot sync", path_);
  issued_.push_back(certificate);
  return absl::OkStatus();
}

}  // namespace hilum
