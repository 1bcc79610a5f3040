// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/given_up.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

// Returns a stamp that changes when the file does. Needs no right to read it.
std::string FileStamp(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return "none";
  return absl::StrCat(info.st_ino, "/", info.st_size, "/", info.st_mtim.tv_sec,
                      ".", info.st_mtim.tv_nsec);
}

}  // namespace

std::string GivenUpStudies::StampOf(const std::string& hash) const {
  return absl::StrCat(
      FileStamp(manifest_), " ",
      FileStamp(absl::StrCat(approvals_dir_, "/", ToHex(hash), ".approved")));
}

std::vector<std::string> GivenUpStudies::TakeMended() {
  std::vector<std::string> mended;
  for (auto study = stamps_.begin(); study != stamps_.end();) {
    if (StampOf(study->first) == study->second) {
      ++study;
      continue;
    }
    mended.push_back(study->first);
    study = stamps_.erase(study);
  }
  return mended;
}

}  // namespace hilum
