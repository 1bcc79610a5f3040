// SPDX-License-Identifier: Apache-2.0
#include "common/model/zip_directory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/model/tensor_view.h"

namespace hilum {
namespace {

constexpr uint32_t kLocal = 0x04034b50;
constexpr uint32_t kCentral = 0x02014b50;
constexpr uint32_t kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50;
constexpr uint32_t kLocator64 = 0x07064b50;
constexpr uint64_t kEndSize = 22;
constexpr uint64_t kEnd64Size = 56;
constexpr uint64_t kLocator64Size = 20;
constexpr uint64_t kCentralSize = 46;
constexpr uint64_t kLocalSize = 30;
constexpr uint32_t kSee64 = 0xffffffff;
constexpr uint64_t kMaxEntries = 1 << 20;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("zip archive: ", what));
}

// Callers have checked that `at` plus the size is within `bytes`.
template <typename T>
T Number(absl::string_view bytes, uint64_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

bool Has(absl::string_view bytes, uint64_t at, uint64_t size) {
  return at <= bytes.size() && size <= bytes.size() - at;
}

struct Directory {
  uint64_t at;
  uint64_t size;
  uint64_t entries;
};

struct Entry {
  std::string name;
  uint64_t size;    // in the archive
  uint64_t header;  // of its own header
  bool stored;
  uint64_t begin, end;  // of its content
};

// Finds the last record. A comment may follow it, and may look like one.
absl::StatusOr<uint64_t> FindEnd(absl::string_view bytes) {
  if (bytes.size() < kEndSize) return Bad("too short");
  const uint64_t last = bytes.size() - kEndSize;
  const uint64_t first = last > 0xffff ? last - 0xffff : 0;
  for (uint64_t at = last + 1; at-- > first;) {
    if (Number<uint32_t>(bytes, at) == kEnd &&
        at + kEndSize + Number<uint16_t>(bytes, at + 20) == bytes.size()) {
      return at;
    }
  }
  return Bad("it has no end record; is the file cut short?");
}

absl::StatusOr<Directory> FindDirectory(absl::string_view bytes) {
  HILUM_ASSIGN_OR_RETURN(uint64_t end, FindEnd(bytes));
  Directory found{.at = Number<uint32_t>(bytes, end + 16),
                  .size = Number<uint32_t>(bytes, end + 12),
                  .entries = Number<uint16_t>(bytes, end + 10)};
  if (Number<uint16_t>(bytes, end + 4) != 0) return Bad("in several parts");
  uint64_t limit = end;
  if (end >= kLocator64Size &&
      Number<uint32_t>(bytes, end - kLocator64Size) == kLocator64) {
    limit = Number<uint64_t>(bytes, end - kLocator64Size + 8);
    if (!Has(bytes, limit, kEnd64Size) ||
        Number<uint32_t>(bytes, limit) != kEnd64) {
      return Bad("its 64-bit end record is not where it should be");
    }
    found = {.at = Number<uint64_t>(bytes, limit + 48),
             .size = Number<uint64_t>(bytes, limit + 40),
             .entries = Number<uint64_t>(bytes, limit + 32)};
  }
  if (found.at > limit || found.size > limit - found.at) {
    return Bad("its directory reaches past its end");
  }
  if (found.entries > kMaxEntries ||
      found.entries * kCentralSize > found.size) {
    return Bad(absl::StrCat("a directory of ", found.size, " bytes for ",
                            found.entries, " files"));
  }
  return found;
}

// Reads sizes over 32 bits, which stand in an extra field in this order.
absl::Status Read64(absl::string_view extra, uint64_t& unpacked,
                    uint64_t& packed, uint64_t& header) {
  for (uint64_t at = 0; Has(extra, at, 4);) {
    const uint16_t id = Number<uint16_t>(extra, at);
    const uint16_t length = Number<uint16_t>(extra, at + 2);
    at += 4;
    if (!Has(extra, at, length)) break;
    if (id == 1) {
      const uint64_t end = at + length;
      for (uint64_t* value : {&unpacked, &packed, &header}) {
        if (*value != kSee64) continue;
        if (at + 8 > end) return Bad("a 64-bit size is missing");
        *value = Number<uint64_t>(extra, at);
        at += 8;
      }
      return absl::OkStatus();
    }
    at += length;
  }
  return absl::OkStatus();
}

// Reads the directory's entry at `at`, and moves `at` behind it.
absl::StatusOr<Entry> ReadCentral(absl::string_view directory, uint64_t& at) {
  if (!Has(directory, at, kCentralSize) ||
      Number<uint32_t>(directory, at) != kCentral) {
    return Bad("its directory is cut short");
  }
  const uint64_t name_size = Number<uint16_t>(directory, at + 28);
  const uint64_t extra_size = Number<uint16_t>(directory, at + 30);
  const uint64_t comment_size = Number<uint16_t>(directory, at + 32);
  const uint64_t rest = name_size + extra_size + comment_size;
  if (!Has(directory, at + kCentralSize, rest)) {
    return Bad("its directory is cut short");
  }
  uint64_t unpacked = Number<uint32_t>(directory, at + 24);
  Entry entry{.size = Number<uint32_t>(directory, at + 20),
              .header = Number<uint32_t>(directory, at + 42)};
  entry.name = std::string(directory.substr(at + kCentralSize, name_size));
  HILUM_RETURN_IF_ERROR(
      Read64(directory.substr(at + kCentralSize + name_size, extra_size),
             unpacked, entry.size, entry.header));
  const uint16_t flags = Number<uint16_t>(directory, at + 8);
  const uint16_t method = Number<uint16_t>(directory, at + 10);
  entry.stored = method == 0 && (flags & 1) == 0 && unpacked == entry.size;
  at += kCentralSize + rest;
  return entry;
}

absl::Status FindContent(absl::string_view before_directory, Entry& entry) {
  auto bad = [&](absl::string_view what) {
    return Bad(absl::StrCat(Shown(entry.name), what));
  };
  if (!Has(before_directory, entry.header, kLocalSize) ||
      Number<uint32_t>(before_directory, entry.header) != kLocal) {
    return bad(" is not where the directory says");
  }
  const uint64_t name_size =
      Number<uint16_t>(before_directory, entry.header + 26);
  const uint64_t extra_size =
      Number<uint16_t>(before_directory, entry.header + 28);
  entry.begin = entry.header + kLocalSize + name_size + extra_size;
  if (!Has(before_directory, entry.begin, entry.size)) {
    return bad(absl::StrCat(": its ", entry.size,
                            " bytes reach past the archive's files"));
  }
  entry.end = entry.begin + entry.size;
  if (before_directory.substr(entry.header + kLocalSize, name_size) !=
      entry.name) {
    return bad(" has another name in its own header");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ZipEntries> ReadZipDirectory(absl::string_view bytes) {
  HILUM_ASSIGN_OR_RETURN(Directory directory, FindDirectory(bytes));
  const absl::string_view listed = bytes.substr(directory.at, directory.size);
  const absl::string_view files = bytes.substr(0, directory.at);
  std::vector<Entry> entries;
  uint64_t at = 0;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    HILUM_ASSIGN_OR_RETURN(Entry entry, ReadCentral(listed, at));
    HILUM_RETURN_IF_ERROR(FindContent(files, entry));
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.header < b.header; });
  ZipEntries content;
  uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.header < end) {
      return Bad(Shown(entry.name) + " overlaps another file");
    }
    end = entry.end;
    if (!content
             .emplace(
                 entry.name,
                 ZipEntry{bytes.substr(entry.begin, entry.size), entry.stored})
             .second) {
      return Bad(Shown(entry.name) + " is there twice");
    }
  }
  return content;
}

}  // namespace hilum
