// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/sum_file.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

static_assert(std::endian::native == std::endian::little,
              "words are written as this machine holds them");

constexpr size_t kPlacedWords = 1 << 14;  // of carries, before they are written

uint64_t LowBytes(int64_t size) {
  return static_cast<uint64_t>(size) * sizeof(uint32_t);
}

uint64_t CarryWords(int64_t size, int num_vectors) {
  return (static_cast<uint64_t>(size) *
              static_cast<uint64_t>(CarryBits(num_vectors)) +
          31) /
         32;
}

absl::string_view Bytes(absl::Span<const uint32_t> words) {
  return absl::string_view(reinterpret_cast<const char*>(words.data()),
                           words.size() * sizeof(uint32_t));
}

}  // namespace

int CarryBits(int num_vectors) {
  if (num_vectors <= 1) return 0;
  return std::bit_width(static_cast<uint32_t>(num_vectors - 1));
}

uint64_t SumFileBytes(int64_t size, int num_vectors) {
  return LowBytes(size) + CarryWords(size, num_vectors) * sizeof(uint32_t);
}

std::string SumFileContent(absl::Span<const uint32_t> low,
                           absl::Span<const uint32_t> carries,
                           int num_vectors) {
  CarryPacker packer(num_vectors);
  std::vector<uint32_t> packed;
  packer.Add(carries, packed);
  packer.Finish(packed);
  return absl::StrCat(Bytes(low), Bytes(packed));
}

void CarryPacker::Add(absl::Span<const uint32_t> carries,
                      std::vector<uint32_t>& packed) {
  if (bits_ == 0) return;
  for (uint32_t carry : carries) {
    open_ |= static_cast<uint64_t>(carry) << filled_;
    filled_ += bits_;
    if (filled_ < 32) continue;
    packed.push_back(static_cast<uint32_t>(open_));
    open_ >>= 32;
    filled_ -= 32;
  }
}

void CarryPacker::Finish(std::vector<uint32_t>& packed) {
  if (filled_ > 0) packed.push_back(static_cast<uint32_t>(open_));
  open_ = 0;
  filled_ = 0;
}

SumFileWriter::SumFileWriter(const std::string& path, int64_t size,
                             int num_vectors)
    : file_(path),
      packer_(num_vectors),
      carries_end_(LowBytes(size)),
      num_bytes_(SumFileBytes(size, num_vectors)) {}

absl::Status SumFileWriter::Append(absl::Span<const uint32_t> low,
                                   absl::Span<const uint32_t> carries) {
  packer_.Add(carries, packed_);
  if (packed_.size() >= kPlacedWords) HILUM_RETURN_IF_ERROR(PlaceCarries());
  return file_.Append(Bytes(low));
}

absl::Status SumFileWriter::PlaceCarries() {
  HILUM_RETURN_IF_ERROR(file_.Place(carries_end_, Bytes(packed_)));
  carries_end_ += Bytes(packed_).size();
  packed_.clear();
  return absl::OkStatus();
}

absl::StatusOr<WrittenFile> SumFileWriter::Commit(Durability durability) {
  packer_.Finish(packed_);
  HILUM_RETURN_IF_ERROR(PlaceCarries());
  HILUM_RETURN_IF_ERROR(file_.AppendPlaced(num_bytes_ - file_.num_bytes()));
  return file_.Commit(durability);
}

SumFile::SumFile(const std::string& path, BlobFile file, int64_t size,
                 int num_vectors)
    : path_(path),
      file_(std::move(file)),
      size_(size),
      num_vectors_(num_vectors) {}

absl::StatusOr<SumFile> SumFile::Open(const std::string& path, int64_t size,
                                      int num_vectors) {
  if (size < 0 || num_vectors < 1 || num_vectors > kMaxSites) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": cannot be the sum of ", num_vectors,
                     " vectors of ", size, " words"));
  }
  const uint64_t bytes = SumFileBytes(size, num_vectors);
  HILUM_ASSIGN_OR_RETURN(BlobFile file,
                         BlobFile::Open(path, static_cast<int64_t>(bytes / 4)));
  return SumFile(path, std::move(file), size, num_vectors);
}

absl::Status SumFile::ReadCarries(int64_t element,
                                  absl::Span<uint32_t> carries) const {
  const int bits = CarryBits(num_vectors_);
  if (bits == 0) {
    std::fill(carries.begin(), carries.end(), 0);
    return absl::OkStatus();
  }
  const int64_t first = size_ + element / kCarryStep * bits;
  std::vector<uint32_t> packed(static_cast<size_t>(
      CarryWords(static_cast<int64_t>(carries.size()), num_vectors_)));
  HILUM_RETURN_IF_ERROR(file_.Read(first, absl::MakeSpan(packed)));
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  const uint32_t* next = packed.data();
  uint64_t open = 0;
  int filled = 0;
  uint32_t largest = 0;
  for (uint32_t& carry : carries) {
    if (filled < bits) {
      open |= static_cast<uint64_t>(*next++) << filled;
      filled += 32;
    }
    carry = static_cast<uint32_t>(open & mask);
    largest = std::max(largest, carry);
    open >>= bits;
    filled -= bits;
  }
  if (largest >= static_cast<uint32_t>(num_vectors_)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ": has a carry of ", largest, ", which ",
                     num_vectors_, " vectors cannot have"));
  }
  const bool last = element + static_cast<int64_t>(carries.size()) == size_;
  if (last && open != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ": has bits behind its last carry"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint32_t>> ReadSum(const std::string& sum_path,
                                              int64_t size, int num_vectors,
                                              const VectorMask& unmask) {
  HILUM_ASSIGN_OR_RETURN(SumFile sum,
                         SumFile::Open(sum_path, size, num_vectors));
  std::vector<uint32_t> words(static_cast<size_t>(size));
  HILUM_RETURN_IF_ERROR(sum.ReadLow(0, absl::MakeSpan(words)));
  if (unmask) unmask(0, absl::MakeSpan(words));
  return words;
}

}  // namespace hilum
