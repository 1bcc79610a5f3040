// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/incoming_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/imaging/image.h"
#include "site_agent/ingest/object_uid.h"

namespace hilum {
namespace {

constexpr size_t kPreambleBytes = 128;
// Made from a random UUID (PS3.5 section B.2).
constexpr char kImplementationClass[] =
    "2.25.277146890947889339133359112803211777840";

void AddInteger(std::string& out, uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  }
}

// Adds an element of group 0002, explicit little-endian, with a UID.
void AddUid(std::string& out, uint16_t element, std::string uid) {
  if (uid.size() % 2 != 0) uid.push_back('\0');
  AddInteger(out, 0x0002, 2);
  AddInteger(out, element, 2);
  out += "UI";
  AddInteger(out, static_cast<uint32_t>(uid.size()), 2);
  out += uid;
}

// Returns preamble and File Meta Information (PS3.10 section 7.1).
std::string FileMeta(const ObjectNames& names) {
  std::string group;
  const char version[] = {2, 0, 1, 0, 'O', 'B', 0, 0, 2, 0, 0, 0, 0, 1};
  group.append(version, sizeof version);
  AddUid(group, 0x0002, names.sop_class);
  AddUid(group, 0x0003, names.sop_instance);
  AddUid(group, 0x0010, names.transfer_syntax);
  AddUid(group, 0x0012, kImplementationClass);
  std::string out(kPreambleBytes, '\0');
  out += "DICM";
  const char length[] = {2, 0, 0, 0, 'U', 'L', 4, 0};
  out.append(length, sizeof length);
  AddInteger(out, static_cast<uint32_t>(group.size()), 4);
  return out + group;
}

}  // namespace

std::string UidOfIncomingName(absl::string_view name) {
  return UidOfFileName(name.substr(0, name.find('_')));
}

absl::StatusOr<IncomingFile> IncomingFile::Create(const std::string& folder,
                                                  const ObjectNames& names) {
  static int count = 0;
  for (const std::string* uid :
       {&names.sop_class, &names.sop_instance, &names.transfer_syntax}) {
    if (uid->empty() || ObjectUid(*uid) != *uid) {
      return absl::InvalidArgumentError("not a UID");
    }
  }
  std::string name = absl::StrCat(FileNameOfUid(names.sop_instance), "_",
                                  getpid(), "_", ++count);
  const std::string path = absl::StrCat(folder, "/", name, ".part");
  ScopedFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.get() < 0) return ErrnoStatus(errno, "cannot create", path);
  IncomingFile file(folder, std::move(name), std::move(fd));
  HILUM_RETURN_IF_ERROR(file.Append(FileMeta(names)));
  return file;
}

IncomingFile::IncomingFile(std::string folder, std::string name, ScopedFd fd)
    : folder_(std::move(folder)), name_(std::move(name)), fd_(std::move(fd)) {}

IncomingFile::IncomingFile(IncomingFile&& other) noexcept
    : folder_(std::move(other.folder_)),
      name_(std::exchange(other.name_, {})),
      fd_(std::move(other.fd_)),
      size_(other.size_) {}

IncomingFile::~IncomingFile() {
  if (!name_.empty()) unlink(PartPath().c_str());
}

std::string IncomingFile::PartPath() const {
  return absl::StrCat(folder_, "/", name_, ".part");
}

absl::Status IncomingFile::Append(absl::string_view data) {
  if (data.size() > kMaxImageFileBytes - size_) {
    return absl::OutOfRangeError(
        absl::StrCat("over ", kMaxImageFileBytes >> 20, " MB"));
  }
  HILUM_RETURN_IF_ERROR(WriteAt(fd_.get(), size_, data, PartPath()));
  size_ += data.size();
  return absl::OkStatus();
}

absl::StatusOr<std::string> IncomingFile::Finish() {
  const std::string part = PartPath();
  if (fsync(fd_.get()) != 0) return ErrnoStatus(errno, "cannot sync", part);
  fd_.Close();
  std::string whole = absl::StrCat(name_, ".dcm");
  const std::string path = absl::StrCat(folder_, "/", whole);
  if (rename(part.c_str(), path.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot rename", part);
  }
  name_.clear();
  HILUM_RETURN_IF_ERROR(SyncDirectory(folder_));
  return whole;
}

}  // namespace hilum
