// SPDX-License-Identifier: Apache-2.0
#include "common/model/split_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr int64_t kBlock = 1 << 16;  // elements
constexpr int64_t kFloat = sizeof(float);

// Returns the index of the first value that is NaN or infinite; -1: none is.
int64_t FirstNotFinite(absl::Span<const uint32_t> values) {
  constexpr uint32_t kExponent = 0x7f800000;
  bool finite = true;
  for (uint32_t bits : values) finite &= (bits & kExponent) != kExponent;
  if (finite) return -1;
  for (size_t i = 0;; ++i) {
    if ((values[i] & kExponent) == kExponent) return static_cast<int64_t>(i);
  }
}

// Reads a file of float32 in blocks.
class FloatFile {
 public:
  static absl::StatusOr<FloatFile> Open(const std::string& path) {
    ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return ErrnoStatus(errno, "cannot open", path);
    struct stat info;
    if (fstat(fd.get(), &info) != 0) {
      return ErrnoStatus(errno, "cannot stat", path);
    }
    if (!S_ISREG(info.st_mode) || info.st_size % kFloat != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": ", info.st_size,
                       " bytes are not a whole number of ", "float32 values"));
    }
    return FloatFile(path, std::move(fd), info.st_size / kFloat);
  }

  int64_t size() const { return size_; }

  // Reads elements `from` to `to` - 1. Passes each block and the index of its
  // first element to `take`.
  template <typename Take>
  absl::Status Read(int64_t from, int64_t to, Take take) {
    for (int64_t at = from; at < to; at += kBlock) {
      const auto block = absl::MakeSpan(room_).subspan(
          0, static_cast<size_t>(std::min(kBlock, to - at)));
      HILUM_RETURN_IF_ERROR(ReadAt(fd_.get(),
                                   static_cast<uint64_t>(at * kFloat),
                                   reinterpret_cast<char*>(block.data()),
                                   block.size() * sizeof(uint32_t), path_));
      HILUM_RETURN_IF_ERROR(take(at, absl::MakeConstSpan(block)));
    }
    return absl::OkStatus();
  }

 private:
  FloatFile(const std::string& path, ScopedFd fd, int64_t size)
      : path_(path), fd_(std::move(fd)), size_(size) {}

  std::string path_;
  ScopedFd fd_;
  int64_t size_;
  std::vector<uint32_t> room_ = std::vector<uint32_t>(kBlock);
};

absl::string_view Bytes(absl::Span<const uint32_t> values) {
  return absl::string_view(reinterpret_cast<const char*>(values.data()),
                           values.size() * sizeof(uint32_t));
}

// The state of one call of SplitWeightsFile.
class Splitter {
 public:
  Splitter(const ParameterLayout& layout, const std::string& path,
           FloatFile file)
      : layout_(layout), path_(path), file_(std::move(file)) {}

  // Appends to `out` the travelling tensors, or the others.
  absl::Status Append(bool travelling, HashedFile& out) {
    int64_t next = 0;
    for (const TensorSpec& tensor : layout_.architecture.tensors) {
      const int64_t first = next;
      next += tensor.size();
      if (layout_.Travels(tensor) != travelling) continue;
      HILUM_RETURN_IF_ERROR(file_.Read(
          first, next, [&](int64_t at, absl::Span<const uint32_t> values) {
            const int64_t bad = FirstNotFinite(values);
            if (bad >= 0) return NotFinite(tensor, at - first + bad);
            return out.Append(Bytes(values));
          }));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status NotFinite(const TensorSpec& tensor, int64_t element) const {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ": element ", element, " of tensor ", tensor.name,
                     " is not finite; take other starting weights"));
  }

  const ParameterLayout& layout_;
  const std::string& path_;
  FloatFile file_;
};

}  // namespace

absl::StatusOr<SplitFiles> SplitWeightsFile(const ParameterLayout& layout,
                                            const std::string& initial_path,
                                            int num_tracks,
                                            const std::string& frozen_path,
                                            const std::string& global_path) {
  if (num_tracks < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        initial_path, ": cannot start ", num_tracks, " tracks from it"));
  }
  HILUM_ASSIGN_OR_RETURN(FloatFile file, FloatFile::Open(initial_path));
  const int64_t expected = layout.frozen_size + layout.travelling_size;
  if (file.size() != expected) {
    return absl::InvalidArgumentError(absl::StrCat(
        initial_path, ": ", file.size() * kFloat, " bytes, the weights of ",
        layout.architecture.name, " have ", expected * kFloat,
        "; was it made for another architecture?"));
  }
  Splitter splitter(layout, initial_path, std::move(file));
  HashedFile global(global_path), frozen(frozen_path);
  HILUM_RETURN_IF_ERROR(global.Create());
  for (int track = 0; track < num_tracks; ++track) {
    HILUM_RETURN_IF_ERROR(splitter.Append(true, global));
  }
  SplitFiles files;
  if (layout.frozen_size > 0) {
    HILUM_RETURN_IF_ERROR(frozen.Create());
    HILUM_RETURN_IF_ERROR(splitter.Append(false, frozen));
    HILUM_ASSIGN_OR_RETURN(files.frozen, frozen.Commit(Durability::kNone));
  }
  auto written = global.Commit(Durability::kNone);
  if (!written.ok()) {
    if (layout.frozen_size > 0) unlink(frozen_path.c_str());
    return written.status();
  }
  files.global = *std::move(written);
  return files;
}

absl::Status CheckFinite(const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(FloatFile file, FloatFile::Open(path));
  return file.Read(
      0, file.size(),
      [&](int64_t at, absl::Span<const uint32_t> values) -> absl::Status {
        const int64_t bad = FirstNotFinite(values);
        if (bad < 0) return absl::OkStatus();
        return absl::InvalidArgumentError(
            absl::StrCat(path, ": element ", at + bad, " is not finite"));
      });
}

}  // namespace hilum
